/** Long lists in a JSON file, an entry at a time: a file of any size costs no more memory than its largest entry. */
import { setImmediate } from 'node:timers/promises'
import { JSONParser } from '@streamparser/json'
import { readText, withFile, type Reader } from '../../files.ts'
import { checker } from './checker.ts'

/** Gets each entry of one list, in order. */
export type Visitors = Readonly<Record<string, (entry: unknown, index: number) => void>>

/** Bytes up to which a file is parsed in one piece, which is ten times quicker. */
const WHOLE = 2 ** 25
const CHUNK = 2 ** 22

/**
 * Visits the entries of lists that lie at the top of the object in a JSON file. Each list that is asked for must be there.
 * A byte-order mark is skipped. `whole`: see WHOLE.
 */
export const visitLists = async (
  file: string,
  who: string,
  visitors: Visitors,
  whole = WHOLE,
): Promise<void> => {
  const check = checker(`${who}: ${file}`)
  const reader: Reader = { who, most: Infinity }
  const { bytes, start } = withFile(file, reader, ({ bytes, read }) => ({
    bytes,
    start: read(0, Math.min(3, bytes)),
  }))
  if (/^(fffe|feff)/.test(start.toString('hex')))
    throw new Error(`${check.who}: needed text in UTF-8, got UTF-16`)
  const noJson = (error: unknown): Error =>
    new Error(`${check.who}: needed JSON, got text that is none (${(error as Error).message})`, {
      cause: error,
    })
  if (bytes <= whole) {
    const text = readText(file, reader)
    const json = check.object(parsed(text, noJson), 'the file')
    for (const [key, visit] of Object.entries(visitors)) check.array(json[key], key).forEach(visit)
    return
  }

  const parser = new JSONParser({
    paths: Object.keys(visitors).flatMap((key) => [`$.${key}`, `$.${key}.*`]),
    keepStack: false,
  })
  const seen = new Set<string>()
  // What a visitor throws is no fault of the text: the parser would report it as its own.
  let refusal: unknown
  parser.onValue = ({ value, key, stack }) => {
    if (refusal !== undefined) return
    try {
      const list = String(stack[1]?.key ?? key)
      if (stack.length === 1) {
        check.array(value, list)
        seen.add(list)
      } else if (typeof key !== 'number') check.fail(list, 'a list', 'an object')
      else visitors[list]!(value, key)
    } catch (error) {
      refusal = error
    }
  }
  const mark = start.toString('hex') === 'efbbbf' ? 3 : 0
  for (let at = mark; at < bytes; at += CHUNK) {
    const chunk = withFile(file, reader, ({ read }) => read(at, Math.min(CHUNK, bytes - at)))
    try {
      parser.write(chunk)
    } catch (error) {
      throw noJson(error)
    }
    if (refusal !== undefined) throw refusal
    // Lets the process's heartbeat out.
    await setImmediate()
  }
  if (!parser.isEnded) throw noJson(new Error('it ends too early'))
  for (const key of Object.keys(visitors)) if (!seen.has(key)) check.array(undefined, key)
}

const parsed = (text: string, noJson: (error: unknown) => Error): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw noJson(error)
  }
}
