/**
 * A run's state on disk: JSON and tensors in one file, whole or not there. Written to a temporary name and renamed; a
 * digest tells a torn file from a whole one (a disk that was full, a machine that lost power).
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { withFile, writeWhole, type OpenFile } from '../files.ts'

export type Checkpoint<State> = {
  readonly step: number
  /** Plain JSON: numbers come back as they were, bit for bit. */
  readonly state: State
  readonly tensors: readonly Float32Array[]
}

/** Tensors by the names that are kept beside them. */
export const tensorsOf = ({
  state,
  tensors,
}: Checkpoint<{ readonly names: readonly string[] }>): Map<string, Float32Array> =>
  new Map(state.names.map((name, i) => [name, tensors[i]!]))

/** What a reader expects of a file, and how its messages begin. */
export type Format<State> = { readonly who: string; readonly state: z.ZodType<State> }

const MAGIC = Buffer.from('NormForge checkpoint 1\n')
const DIGEST_BYTES = 32
/** Bytes of a file, and of its header. */
const LARGEST = 2 ** 32
const LARGEST_HEADER = 2 ** 26
const MOST_TENSORS = 100_000
/** Older ones are removed; the last but one stays, for when the newest is torn. */
const KEPT = 2

export const writeCheckpoint = <State>(folder: string, checkpoint: Checkpoint<State>): void => {
  writeTensors(path.join(folder, `checkpoint-${checkpoint.step}.bin`), checkpoint)
  removeBut(KEPT, folder)
}

/** Keeps only the newest checkpoint of a run that has ended. */
export const keepNewest = (folder: string): void => removeBut(1, folder)

const removeBut = (kept: number, folder: string): void => {
  for (const old of checkpointsIn(folder).slice(kept)) fs.rmSync(path.join(folder, old), { force: true })
}

/** The newest whole checkpoint of a folder; null when there is none. */
export const newestCheckpoint = <State>(folder: string, format: Format<State>): Checkpoint<State> | null => {
  for (const name of checkpointsIn(folder)) {
    const found = wholeCheckpoint(path.join(folder, name), format)
    if (found) return found
  }
  return null
}

/** File names, newest first. */
const checkpointsIn = (folder: string): string[] =>
  fs
    .readdirSync(folder)
    .filter((name) => /^checkpoint-\d+\.bin$/.test(name))
    .sort((a, b) => stepOf(b) - stepOf(a))
const stepOf = (name: string): number => Number(/\d+/.exec(name)![0])

export const writeTensors = <State>(file: string, { step, state, tensors }: Checkpoint<State>): void => {
  const header = Buffer.from(JSON.stringify({ step, state, sizes: tensors.map(({ length }) => length) }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(header.length)
  const parts = [
    MAGIC,
    length,
    header,
    ...tensors.map((t) => Buffer.from(t.buffer, t.byteOffset, t.byteLength)),
  ]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  writeWhole(file, 'checkpoint', [...parts, hash.digest()])
}

/** Null when the file is missing, foreign or torn. */
export const wholeCheckpoint = <State>(file: string, format: Format<State>): Checkpoint<State> | null => {
  try {
    return readCheckpoint(file, format)
  } catch {
    return null
  }
}

export type Header<State> = {
  readonly step: number
  readonly state: State
  /** Elements of each tensor. */
  readonly sizes: readonly number[]
  /** Where the tensors begin, in bytes. */
  readonly end: number
}

/** Reads what stands before the tensors, and not these. */
export const readHeader = <State>(file: string, format: Format<State>): Header<State> =>
  withFile(file, { who: format.who, most: LARGEST }, (opened) => headerOf(file, opened, format))

/**
 * Throws one sentence when a file is no whole checkpoint, or `examine` does when it sees the header, before the tensors are
 * read. No memory is set aside that the file's length does not bear out.
 */
export const readCheckpoint = <State>(
  file: string,
  format: Format<State>,
  examine: (header: Header<State>) => void = () => undefined,
): Checkpoint<State> =>
  withFile(file, { who: format.who, most: LARGEST }, (opened) => {
    const header = headerOf(file, opened, format)
    examine(header)
    const { step, state, sizes, end } = header
    const hash = createHash('sha256').update(opened.read(0, end))
    let at = end
    const tensors = sizes.map((size) => {
      const bytes = opened.read(at, 4 * size)
      hash.update(bytes)
      at += 4 * size
      return new Float32Array(bytes.buffer, 0, size)
    })
    if (!opened.read(at, DIGEST_BYTES).equals(hash.digest()))
      throw new Error(`${format.who}: ${file}: needed a whole checkpoint, got one that is damaged`)
    return { step, state, tensors }
  })

const headerOf = <State>(file: string, opened: OpenFile, { who, state }: Format<State>): Header<State> => {
  const fail = (needed: string, got: string, cause?: unknown): never => {
    throw new Error(`${who}: ${file}: needed ${needed}, got ${got}`, { cause })
  }
  const start = MAGIC.length + 4
  if (opened.bytes < start + DIGEST_BYTES || !opened.read(0, MAGIC.length).equals(MAGIC))
    fail('a checkpoint', 'another kind of file')
  const length = opened.read(MAGIC.length, 4).readUInt32LE()
  const room = Math.min(LARGEST_HEADER, opened.bytes - start - DIGEST_BYTES)
  if (length > room) fail(`a header of at most ${room} bytes`, String(length))
  const parsed = z
    .object({ step: z.int().min(0), state, sizes: z.array(z.int().min(0)).max(MOST_TENSORS) })
    .safeParse(jsonOf(opened.read(start, length)))
  if (!parsed.success) {
    const { path: place, message } = parsed.error.issues[0]!
    return fail('a checkpoint of this kind', `a header with ${place.join('.') || 'no JSON'}: ${message}`)
  }
  const header = { ...parsed.data, end: start + length }
  const { sizes } = header
  const bytes = header.end + 4 * sizes.reduce((sum, size) => sum + size, 0) + DIGEST_BYTES
  if (bytes !== opened.bytes) fail(`${bytes} bytes, as its header says`, String(opened.bytes))
  const names = namesIn(header.state)
  if (names && (names.length !== sizes.length || new Set(names).size !== names.length))
    fail('a name of its own for each tensor', `${names.length} names of ${sizes.length} tensors`)
  return header
}

const namesIn = (state: unknown): readonly unknown[] | null =>
  typeof state === 'object' && state !== null && 'names' in state && Array.isArray(state.names)
    ? state.names
    : null

const jsonOf = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
