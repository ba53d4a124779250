/**
 * Instance masks as COCO keeps them: run lengths down the columns, zeros first. The same integers as pycocotools
 * (cocoapi, common/maskApi.c), so that masks, areas and overlaps are equal to the last pixel.
 */
export type Rle = { readonly height: number; readonly width: number; readonly counts: readonly number[] }

/** `[x, y, width, height]` in pixels, the corner at the top left. */
export type Box = readonly [x: number, y: number, width: number, height: number]

/** Run lengths of a mask `[height, width]` (rows; any non-zero value is set). */
export const encodeMask = (mask: ArrayLike<number>, height: number, width: number): Rle => {
  if (mask.length !== height * width)
    throw new Error(`mask: needed ${height}×${width} = ${height * width} values, got ${mask.length}`)
  const counts: number[] = []
  let run = 0
  let set = false
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) {
      if ((mask[y * width + x] !== 0) !== set) {
        counts.push(run)
        run = 0
        set = !set
      }
      run++
    }
  counts.push(run)
  return { height, width, counts }
}

/** The mask `[height, width]`, 0 or 1. */
export const decodeMask = (rle: Rle): Uint8Array => {
  const mask = new Uint8Array(rle.height * rle.width)
  let at = 0
  for (const [i, count] of rle.counts.entries()) {
    if (i % 2 === 1)
      for (let k = at; k < at + count; k++)
        mask[(k % rle.height) * rle.width + Math.floor(k / rle.height)] = 1
    at += count
  }
  return mask
}

/** COCO's compressed text: differences from the run before last, six bits a character from "0" on. */
export const countsText = ({ counts }: Rle): string => numbersText(counts)

/** Whole numbers of 32 bits in the same text. */
export const numbersText = (counts: readonly number[]): string => {
  // Joined at the end: a string that grows by a character at a time is kept as a tree, 30 bytes a character.
  const text: string[] = []
  for (const [i, count] of counts.entries()) {
    let value = i > 2 ? count - counts[i - 2]! : count
    for (let more = true; more;) {
      const bits = value & 0x1f
      value >>= 5
      more = bits & 0x10 ? value !== -1 : value !== 0
      text.push(String.fromCharCode(48 + (more ? bits | 0x20 : bits)))
    }
  }
  return text.join('')
}

/** The mask of a `countsText`. Throws where the text is cut off or its runs do not fill the mask. */
export const parseCounts = (text: string, height: number, width: number): Rle =>
  requireFull({ height, width, counts: numbersOf(text) })

/** Reads `numbersText` back. */
export const numbersOf = (text: string): number[] => {
  const counts: number[] = []
  for (let p = 0; p < text.length;) {
    let value = 0
    let shift = 0
    for (let more = true; more; p++, shift += 5) {
      const bits = text.charCodeAt(p) - 48
      if (!(bits >= 0 && bits < 64))
        throw new Error(
          p < text.length
            ? `mask: run lengths: character ${p + 1} needs to be among "0".."o", got "${text[p]}"`
            : 'mask: run lengths: the text ends in the middle of a number',
        )
      value |= (bits & 0x1f) << shift
      more = (bits & 0x20) !== 0
      // A shift by 32 and more would begin again at 0.
      if (!more && bits & 0x10 && shift < 27) value |= -1 << (shift + 5)
    }
    counts.push(counts.length > 2 ? value + counts.at(-2)! : value)
  }
  return counts
}

/** Throws unless the runs are whole numbers that fill the mask. */
export const requireFull = (rle: Rle): Rle => {
  const bad = rle.counts.find((count) => !Number.isInteger(count) || count < 0)
  if (bad !== undefined) throw new Error(`mask: run lengths need to be whole and not negative, got ${bad}`)
  const sum = rle.counts.reduce((a, b) => a + b, 0)
  if (sum !== rle.height * rle.width)
    throw new Error(
      `mask: run lengths need to fill ${rle.height}×${rle.width} = ${rle.height * rle.width} pixels, fill ${sum}`,
    )
  return rle
}

/** Pixels set. */
export const maskArea = ({ counts }: Rle): number =>
  counts.reduce((area, count, i) => (i % 2 === 1 ? area + count : area), 0)

/** The smallest box around the pixels set; all zero where none is. */
export const maskBox = ({ height, width, counts }: Rle): Box => {
  let [left, top, right, bottom] = [width, height, -1, -1]
  let at = 0
  for (const [i, count] of counts.entries()) {
    if (i % 2 === 1 && count > 0) {
      const first = Math.floor(at / height)
      const last = Math.floor((at + count - 1) / height)
      left = Math.min(left, first)
      right = Math.max(right, last)
      // A run that goes on into the next column touches both edges.
      top = Math.min(top, first === last ? at % height : 0)
      bottom = Math.max(bottom, first === last ? (at + count - 1) % height : height - 1)
    }
    at += count
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1]
}

/** Walks two masks of one size at once: `visit(run, inA, inB)`. */
const walk = (a: Rle, b: Rle, visit: (run: number, inA: boolean, inB: boolean) => void): void => {
  if (a.height !== b.height || a.width !== b.width)
    throw new Error(`mask: needed two of one size, got ${a.height}×${a.width} and ${b.height}×${b.width}`)
  let [i, j] = [0, 0]
  let [left, right] = [a.counts[0] ?? 0, b.counts[0] ?? 0]
  while (i < a.counts.length && j < b.counts.length) {
    const run = Math.min(left, right)
    if (run > 0) visit(run, i % 2 === 1, j % 2 === 1)
    left -= run
    right -= run
    if (left === 0) left = a.counts[++i] ?? 0
    if (right === 0) right = b.counts[++j] ?? 0
  }
}

/** The union of masks of one size. */
export const mergeMasks = (masks: readonly Rle[]): Rle => {
  const [first, ...rest] = masks
  if (!first) throw new Error('mask: needed at least one mask to merge, got none')
  return rest.reduce((merged, mask) => {
    const counts = [0]
    walk(merged, mask, (run, inA, inB) => {
      const set = inA || inB
      if (set === (counts.length % 2 === 0)) counts[counts.length - 1]! += run
      else counts.push(run)
    })
    return { height: first.height, width: first.width, counts }
  }, first)
}

/**
 * Intersection over union; over the area of `a` alone where `b` is a crowd (any part of a crowd may be matched).
 */
export const maskIou = (a: Rle, b: Rle, crowd: boolean): number => {
  let both = 0
  let union = 0
  walk(a, b, (run, inA, inB) => {
    if (inA && inB) both += run
    if (inA || inB) union += run
  })
  return both === 0 ? 0 : both / (crowd ? maskArea(a) : union)
}

/** As `maskIou`, for boxes. */
export const boxIou = (a: Box, b: Box, crowd: boolean): number => {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1])
  if (!(width > 0 && height > 0)) return 0
  const both = width * height
  const area = a[2] * a[3]
  return both / (crowd ? area : area + b[2] * b[3] - both)
}
