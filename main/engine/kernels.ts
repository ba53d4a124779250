/**
 * The engine's own TensorFlow kernels (native/), where set-up could compile them: a layer's whole forward or backward
 * as one op.
 */
import fs from 'node:fs'
import { KERNELS } from '../setup/places.mjs'
import { loadRuntime } from './runtime.ts'

let loaded: boolean | undefined

/** Whether the kernels are to be had; loads them the first time. NORMFORGE_KERNELS=0 does without. */
export const hasKernels = (): boolean => {
  loaded ??= load()
  return loaded
}

const load = (): boolean => {
  const { binding } = loadRuntime()
  if (process.env.NORMFORGE_KERNELS === '0' || binding.isUsingGpuDevice() || !fs.existsSync(KERNELS))
    return false
  process.dlopen({ exports: {} }, KERNELS)
  return true
}
