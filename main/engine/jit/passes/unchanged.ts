import type { Rule } from './rewrite.ts'

/** A cast to the type that its operand has. */
export const sameType: Rule = ({ name, op, inputs }, { out }) =>
  op === 'Cast' && out(name)!.dtype === out(inputs[0]!)?.dtype ? inputs[0]! : null

/** These give their operand back where the shape stays: nothing was repeated, cut off, put around or added up. */
const SHAPING = new Set(
  'Identity Reshape ExpandDims Squeeze BroadcastTo Tile Slice Pad PadV2 MirrorPad Sum Mean Max Min Prod'.split(
    ' ',
  ),
)

/** A reshape, broadcast, tile, slice, padding or reduction that changes no shape. */
export const sameShape: Rule = ({ name, op, inputs }, { out }) =>
  SHAPING.has(op) && String(out(name)!.shape) === String(out(inputs[0]!)?.shape) ? inputs[0]! : null
