import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** What stands between a step's own code and the recorder: tfjs, the recorder, and the engine's way to hand an op on. */
const BETWEEN = /node_modules|node:internal|main[\\/]engine[\\/](jit[\\/]|(runtime|pointwise)\.ts)/

/** The line of a step that led here, as "main/engine/layer.ts:120:7"; "an unknown line" where the stack doesn't tell. */
export const callerLine = (): string => {
  const limit = Error.stackTraceLimit
  // tfjs alone puts some twenty calls between a step and the native addon.
  Error.stackTraceLimit = 100
  const { stack = '' } = new Error('here')
  Error.stackTraceLimit = limit
  const frame = stack.split('\n').find((line) => /:\d+:\d+\)?$/.test(line) && !BETWEEN.test(line))
  const place = frame && /(?:\(|at (?:async )?)([^()]+:\d+:\d+)\)?$/.exec(frame)?.[1]
  if (!place) return 'an unknown line'
  const [, url, position] = /^(.*)(:\d+:\d+)$/.exec(place)!
  const file = url!.startsWith('file:') ? fileURLToPath(url!) : url!
  return (file.startsWith(ROOT) ? file.slice(ROOT.length) : file) + position!
}
