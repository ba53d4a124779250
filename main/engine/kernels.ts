/**
 * The engine's own TensorFlow kernels (native/), where set-up could compile them: a layer's whole forward or backward
 * as one op.
 */
import fs from 'node:fs'
import path from 'node:path'
import { verdictOn } from '../setup/illegal.mjs'
import { KERNELS, kernelsAreOurs } from '../setup/places.mjs'
import { loadRuntime } from './runtime.ts'

/** Whether the kernels are loaded, and why not, where that makes this process slower than it could be. */
type Loaded = { readonly there: boolean; readonly obstacle: string | null }
let loaded: Loaded | undefined

/** Whether the kernels are to be had; loads them the first time. NORMFORGE_KERNELS=0 does without. */
export const hasKernels = (): boolean => (loaded ??= load()).there

/** Why this process goes without kernels that it could use; null where it has them, or needs none. */
export const kernelObstacle = (): string | null => (loaded ??= load()).obstacle

const load = (): Loaded => {
  const { binding } = loadRuntime()
  if (binding.isUsingGpuDevice()) return { there: false, obstacle: null }
  if (process.env.NORMFORGE_KERNELS === '0') return { there: false, obstacle: 'as NORMFORGE_KERNELS=0 asks' }
  if (!fs.existsSync(KERNELS)) return { there: false, obstacle: 'set-up could not compile them' }
  try {
    if (!kernelsAreOurs()) throw new Error('those in the cache were compiled on another processor')
    // By its own path: beside that lie the libraries it asks for.
    const file = fs.realpathSync(KERNELS)
    if (verdictOn(path.dirname(file)) !== 'fine') throw new Error('they hold an illegal instruction')
    process.dlopen({ exports: {} }, file)
    return { there: true, obstacle: null }
  } catch (error) {
    // Made for other libraries, or on another processor: set-up makes them anew at the next start.
    const obstacle = (error as Error).message
    console.error(`engine: going without kernels of its own: ${obstacle}`)
    return { there: false, obstacle }
  }
}
