// Which processor this is, by its instruction sets: virtual machines give quite different ones the same model name.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'

/** Lines of /proc/cpuinfo that say what a processor can run, and which one it is (x86; then ARM). */
const TELLING =
  /^(vendor_id|cpu family|model|model name|flags|CPU implementer|CPU architecture|CPU part|Features)\s*:/
/** The first processor's block lies within so many bytes; all of them together are large on a large machine. */
const BLOCK_BYTES = 16_384

const readBlock = () => {
  const block = Buffer.alloc(BLOCK_BYTES)
  try {
    const file = fs.openSync('/proc/cpuinfo', 'r')
    try {
      return block.toString('utf8', 0, fs.readSync(file, block))
    } finally {
      fs.closeSync(file)
    }
  } catch {
    return ''
  }
}

/**
 * The telling lines of a text like /proc/cpuinfo's, for its first processor. Flags that are no instructions count, too:
 * one too many costs a compilation after a new kernel shows it, one too few an illegal instruction.
 * @param {string} text
 */
export const linesOf = (text) => {
  const first = text.split(/\n\s*\n/)[0] ?? ''
  return first.split('\n').filter((line) => TELLING.test(line))
}

/** @param {string} text */
const hashOf = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12)

/**
 * This processor as a short key: the same wherever the same code runs equally well. Where the system has no
 * /proc/cpuinfo, the model's name has to do.
 */
export const processorKey = (text = readBlock()) => {
  const lines = linesOf(text)
  const fallback = os.cpus()[0]?.model ?? 'unknown'
  return hashOf([os.arch(), ...(lines.length > 0 ? lines : [fallback])].join('\n'))
}

/** An x86 processor's flags, as Linux names them; null for another one, and where nothing is known. */
export const flagsOf = (text = readBlock()) => {
  const line = linesOf(text).find((line) => line.startsWith('flags'))
  return line === undefined ? null : new Set((line.split(':')[1] ?? '').trim().split(/\s+/))
}

/** Instructions that the levels of the x86-64 psABI ask for, by their names in /proc/cpuinfo. */
const LEVELS = {
  'x86-64-v2': 'cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2',
  'x86-64-v3': 'avx avx2 bmi1 bmi2 f16c fma abm movbe xsave',
  'x86-64-v4': 'avx512f avx512bw avx512cd avx512dq avx512vl',
}
/** @typedef {'x86-64' | keyof typeof LEVELS} Level */

/**
 * The highest level of the x86-64 psABI that a processor has; null on another architecture.
 * @param {string} [text] @returns {Level | null}
 */
export const levelOf = (text = readBlock()) => {
  const has = flagsOf(text)
  if (has === null) return null
  /** @type {Level} */
  let highest = 'x86-64'
  for (const [level, needed] of Object.entries(LEVELS)) {
    if (!needed.split(' ').every((flag) => has.has(flag))) break
    highest = /** @type {Level} */ (level)
  }
  return highest
}
