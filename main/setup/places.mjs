// What this machine has, found without starting a download: for set-up and for the doctor.
import fs from 'node:fs'
import path from 'node:path'
import { has, root } from './process.mjs'
import { levelOf, processorKey } from './processor.mjs'

export const TFJS = path.join(root, 'node_modules/@tensorflow/tfjs-node-gpu')
/** Where tfjs-node looks for its addon. */
export const ADDON = path.join(TFJS, 'lib/napi-v8/tfjs_binding.node')
const BUILT_BEFOREHAND = path.join(root, 'kernels')
/** Whether this is an installed package, in which all that set-up makes lies ready (package.ts), and which is not written to. */
export const PACKAGED = fs.existsSync(BUILT_BEFOREHAND)
/** A package has kernels for processors from x86-64-v3 on (AVX2), and for all others. */
const level = () => (['x86-64-v3', 'x86-64-v4'].includes(levelOf() ?? '') ? 'x86-64-v3' : 'x86-64')
/** Where the engine looks for its own kernels. */
export const KERNELS = path.join(
  PACKAGED ? path.join(BUILT_BEFOREHAND, level()) : path.dirname(ADDON),
  'normforge_kernels.node',
)
/** How the name of a folder begins that holds kernels compiled on this very processor. */
export const kernelsFor = () => `kernels-${processorKey()}-`
/** Whether the kernels that lie there were compiled on this very processor: others may hold illegal instructions. */
export const kernelsAreOurs = () =>
  PACKAGED || path.basename(path.dirname(fs.realpathSync(KERNELS))).startsWith(kernelsFor())
export const ELECTRON = path.join(root, 'node_modules/electron')

/** Whether an NVIDIA driver is there: its own tool answers. */
export const hasNvidiaDriver = () => has('nvidia-smi', ['-L'])

/** Electron's binary where npm's package has it, else null. */
export const electronBinary = () => {
  const named = path.join(ELECTRON, 'path.txt')
  if (!fs.existsSync(named)) return null
  const binary = path.join(ELECTRON, 'dist', fs.readFileSync(named, 'utf8').trim())
  return fs.existsSync(binary) ? binary : null
}

/** Why Electron's window can't be opened on this machine, whatever its binary; null where it can. */
export const windowObstacle = () => {
  if (process.platform !== 'linux') return null
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return 'there is no display'
  return process.getuid?.() === 0 ? "Electron's sandbox doesn't run as root" : null
}
