import { ensureKernels } from './kernels.ts'
import { PACKAGED } from './places.mjs'
import { ensureTensorFlow } from './tensorflow.ts'

/** All that the engine needs to run; costs milliseconds once it is there. */
export const ensureEngine = async (): Promise<void> => {
  if (PACKAGED) return
  await ensureTensorFlow()
  await ensureKernels()
}
