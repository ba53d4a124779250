import { ensureKernels } from './kernels.ts'
import { ensureTensorFlow } from './tensorflow.ts'

/** All that the engine needs to run; costs milliseconds once it is there. */
export const ensureEngine = async (): Promise<void> => {
  await ensureTensorFlow()
  await ensureKernels()
}
