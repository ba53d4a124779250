import path from 'node:path'

/**
 * Tests that hold what TensorFlow and oneDNN compute against numbers made elsewhere: what may differ from one processor to
 * another. Not accelerate.test.ts: TensorFlow asks the processor itself whether oneDNN has bfloat16 products, and oneDNN
 * kept to AVX2 on a processor that has them refuses those.
 */
const NUMERIC = [
  ...['depthwise', 'detection', 'layers', 'networks', 'pointwise', 'resample', 'stability'],
  ...['tasks/segmentation/detector', 'tasks/segmentation/regions'],
  ...['tasks/synthesis/gan', 'tasks/synthesis/networks', 'tasks/synthesis/parts'],
].map((name) => path.normalize(`test/engine/${name}.test.ts`))

/** Those of `files` that are numeric, in their order. */
export const numericFiles = (files: readonly string[]): string[] =>
  files.filter((file) => NUMERIC.includes(file))
