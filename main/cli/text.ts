/** Words and numbers as the command line shows them. */
import { unreadableText, type Unreadable } from '../../shared/records/unreadable.ts'

/**
 * Text that may hold what others wrote (names, file names), as it can be shown on a terminal: control characters, and
 * those that turn the direction of writing, are spelled as in JSON, so that JSON means the same as before.
 */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (character) =>
    character === '\n' ? character : escaped(character),
  )

/** Such text as a part of a line. */
export const oneLine = (text: string): string => plain(text).replaceAll('\n', escaped('\n'))

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A result, on stdout. */
export const print = (text: string): void => void process.stdout.write(`${plain(text)}\n`)
/** Anything else that is said, on stderr. */
export const note = (text: string): void => void process.stderr.write(`${plain(text)}\n`)

/** Rows under a head, columns padded; numbers (the columns named in `right`) to the right. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string => {
  const all = [head, ...rows].map((row) => row.map(oneLine))
  const width = head.map((_, column) => Math.max(...all.map((row) => [...row[column]!].length)))
  const pad = (cell: string, column: number): string => {
    const space = ' '.repeat(width[column]! - [...cell].length)
    return right.includes(column) ? space + cell : cell + space
  }
  return all.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n')
}

export const percent = (accuracy: number): string => `${(100 * accuracy).toFixed(1)} %`

export const duration = (seconds: number): string => {
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  if (h > 0) return `${h} h ${m} min`
  return m > 0 ? `${m} min ${s} s` : `${s} s`
}

export const shortened = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`

export const count = (n: number, singular: string, plural = `${singular}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? singular : plural}`

/** A line of a list for what can't be read: id, name and why. */
export const unreadableLine = ({ unreadable: { id, name, why } }: Unreadable): string =>
  [id, oneLine(name), unreadableText(why)].filter((part) => part !== '').join('  ')
