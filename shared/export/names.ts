/** Words of a layer's name, ASCII only: `EvoNorm-S0` is `EvoNorm`, `S0`. */
const words = (name: string): string[] => {
  const found = name.normalize('NFKD').match(/[A-Za-z0-9]+/g) ?? []
  if (found.length === 0) return ['Layer']
  return /^\d/.test(found[0]!) ? ['Layer', ...found] : found
}

/** Constants of Python, JavaScript and the exported files, and globals that those use: no names for a class. */
const TAKEN = new Set(
  'True False None NaN Infinity Array Math Any Tensor Counter Exception TypeError ACTIVATIONS CALLS EPSILON NHW HWC HW'.split(
    ' ',
  ),
)

/** `EvoNorm-S0` as a class: `EvoNormS0`. */
export const className = (name: string): string => {
  const whole = words(name)
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join('')
  return TAKEN.has(whole) ? `${whole}Layer` : whole
}

/**
 * A single word may be a keyword (`lambda`), hide a module that the file itself imports (`torch`, `random`), or be a
 * device (`con`).
 */
const fileWords = (name: string): string[] => {
  const found = words(name)
  return found.length === 1 && found[0] !== 'Layer' ? [...found, 'layer'] : found
}

/** `EvoNorm-S0` as a file of Python: `evonorm_s0`. */
export const snakeName = (name: string): string => fileWords(name).join('_').toLowerCase()

/** `EvoNorm-S0` as any other file: `evonorm-s0`. */
export const kebabName = (name: string): string => fileWords(name).join('-').toLowerCase()

/** A name inside a comment: one line, nothing that ends the comment. */
export const plainName = (name: string): string => name.replace(/["\\*/\p{C}\s]+/gu, ' ').trim() || 'Layer'
