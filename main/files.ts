/**
 * Opens and writes what a user names. Anything may lie at a path: a pipe that never ends, a device, a folder, more bytes than there is
 * memory. Every reader of users' files comes through here; each error is one sentence that names the reader and the file.
 */
import fs from 'node:fs'

export type Reader = {
  /** Who reads, as messages begin. */
  readonly who: string
  /** Bytes that the file may have at most. */
  readonly most: number
}

export type OpenFile = {
  readonly bytes: number
  /** The bytes from `start` on, `length` of them. */
  read(start: number, length: number): Buffer
}

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants

/** Runs `use` on a regular file. What its descriptor shows counts, so that nothing can be exchanged in between. */
export const withFile = <T>(file: string, { who, most }: Reader, use: (opened: OpenFile) => T): T => {
  // Without O_NONBLOCK, opening a pipe waits for somebody who writes to it.
  const handle = attempt(file, who, 'a file', () => fs.openSync(file, O_RDONLY | O_NONBLOCK | O_NOCTTY))
  try {
    const stats = fs.fstatSync(handle)
    if (!stats.isFile()) throw unfit(file, who, `needed a file, got ${kindOf(stats)}`)
    if (stats.size > most) throw unfit(file, who, `needed at most ${textOf(most)}, got ${textOf(stats.size)}`)
    const opened = {
      bytes: stats.size,
      read: (start: number, length: number) =>
        attempt(file, who, 'a file', () => {
          // Nothing is set aside for what the file does not have.
          const got = Math.max(0, stats.size - start)
          if (got < length) throw new Error(`needed ${length} bytes from ${start} on, got ${got}`)
          return readAt(handle, start, length)
        }),
    }
    const result = use(opened)
    const now = fs.fstatSync(handle).size
    if (now !== stats.size)
      throw unfit(
        file,
        who,
        `needed a file that nobody writes to, it went from ${stats.size} to ${now} bytes`,
      )
    return result
  } finally {
    fs.closeSync(handle)
  }
}

/** A file's whole content. */
export const readBytes = (file: string, reader: Reader): Buffer =>
  withFile(file, reader, ({ bytes, read }) => read(0, bytes))

/** A file's whole content as UTF-8, without a byte-order mark. */
export const readText = (file: string, reader: Reader): string =>
  new TextDecoder().decode(readBytes(file, reader))

export type Entry = { readonly name: string; readonly kind: Kind }
type Kind = 'file' | 'folder' | 'other'

/** What lies in a folder, by name. Links are followed; one that leads nowhere is of the `other` kind, as pipes are. */
export const readFolder = (folder: string, who: string): Entry[] =>
  attempt(folder, who, 'a folder', () => fs.readdirSync(folder, { withFileTypes: true }))
    .map((entry) => {
      const kind = entry.isSymbolicLink() ? kindAt(`${folder}/${entry.name}`) : simpleKindOf(entry)
      return { name: entry.name, kind: kind ?? 'other' }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))

/** What a path leads to; null where there is nothing, or nothing that can be reached. */
export const kindAt = (file: string): Kind | null => {
  try {
    return simpleKindOf(fs.statSync(file))
  } catch {
    return null
  }
}

const simpleKindOf = (found: Pick<fs.Stats, 'isFile' | 'isDirectory'>): Kind =>
  found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other'

/** No single read may be longer: node:fs counts in 32 bits. */
const CHUNK = 2 ** 30

const readAt = (handle: number, start: number, length: number): Buffer => {
  // Its memory is its own, from the first byte on, so that it can be seen as floats.
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < length;) {
    const got = fs.readSync(handle, bytes, at, Math.min(CHUNK, length - at), start + at)
    if (got === 0) throw new Error(`needed ${length} bytes from ${start} on, got ${at}`)
    at += got
  }
  return bytes
}

/**
 * Writes a file whole or not at all: under a temporary name, then renamed. A link's file is written, the link stays; what is
 * no file, as a device, is not written over.
 */
export const writeWhole = (file: string, who: string, parts: readonly Uint8Array[]): void => {
  const kind = kindAt(file)
  if (kind === 'folder' || kind === 'other')
    throw unfit(file, who, `needed a file, got ${kindOf(fs.statSync(file))}`)
  const target = kind === null ? file : fs.realpathSync(file)
  const temporary = `${target}.${process.pid}.tmp`
  try {
    writeNew(temporary, parts)
    fs.renameSync(temporary, target)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

const writeNew = (file: string, parts: readonly Uint8Array[]): void => {
  const handle = fs.openSync(file, 'w')
  try {
    for (const part of parts) fs.writeFileSync(handle, part)
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

/** An error of node:fs as a sentence. */
const attempt = <T>(file: string, who: string, needed: string, what: () => T): T => {
  try {
    return what()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const got = code === undefined ? undefined : FOUND[code]
    throw unfit(file, who, got === undefined ? message : `needed ${needed}, ${got}`, error)
  }
}

const FOUND: Readonly<Record<string, string>> = {
  ENOENT: 'found none',
  ENOTDIR: 'found a path that goes through a file',
  EACCES: 'got one that may not be opened',
  EPERM: 'got one that may not be opened',
  ELOOP: 'got a link that leads to itself',
  ENXIO: 'got a socket',
  ENAMETOOLONG: 'got a name that is too long',
  ERR_INVALID_ARG_VALUE: 'got a name with a zero byte',
  EIO: 'got a disk that fails',
}

const unfit = (file: string, who: string, what: string, cause?: unknown): Error =>
  new Error(`${who}: ${file}: ${what}`, { cause })

const kindOf = (stats: fs.Stats): string =>
  stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device'

export const textOf = (bytes: number): string =>
  bytes < 2 ** 20 ? `${bytes} bytes` : `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`
