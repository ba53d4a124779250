/**
 * The engine's own TensorFlow kernels (native/), where set-up could compile them: a layer's whole forward or backward
 * as one op.
 */
import fs from 'node:fs'
import path from 'node:path'
import { verdictOn } from '../setup/illegal.mjs'
import { KERNELS, kernelsAreOurs } from '../setup/places.mjs'
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
  try {
    if (!kernelsAreOurs()) throw new Error('those in the cache were compiled on another processor')
    // By its own path: beside that lie the libraries it asks for.
    const file = fs.realpathSync(KERNELS)
    if (verdictOn(path.dirname(file)) !== 'fine') throw new Error('they hold an illegal instruction')
    process.dlopen({ exports: {} }, file)
    return true
  } catch (error) {
    // Made for other libraries, or on another processor: set-up makes them anew at the next start.
    console.error(`engine: going without kernels of its own: ${(error as Error).message}`)
    return false
  }
}
