/**
 * A run's state on disk: JSON and tensors in one file, whole or not there. Written to a temporary name and renamed; a
 * digest tells a torn file from a whole one (a disk that was full, a machine that lost power).
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

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

const MAGIC = Buffer.from('NormForge checkpoint 1\n')
const DIGEST_BYTES = 32
/** Older ones are removed; the last but one stays, for when the newest is torn. */
const KEPT = 2

export const writeCheckpoint = <State>(folder: string, checkpoint: Checkpoint<State>): void => {
  writeTensors(path.join(folder, `checkpoint-${checkpoint.step}.bin`), checkpoint)
  removeBut(KEPT, folder)
}

/** Of a run that has ended nobody needs the others. */
export const keepNewest = (folder: string): void => removeBut(1, folder)

const removeBut = (kept: number, folder: string): void => {
  for (const old of checkpointsIn(folder).slice(kept)) fs.rmSync(path.join(folder, old), { force: true })
}

/** The newest whole checkpoint of a folder; null when there is none. */
export const newestCheckpoint = <State>(folder: string): Checkpoint<State> | null => {
  for (const name of checkpointsIn(folder)) {
    const found = readTensors<State>(path.join(folder, name))
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
  writeWhole(file, [...parts, hash.digest()])
}

/** Writes a file under a temporary name, then renames it. */
export const writeWhole = (file: string, parts: readonly Uint8Array[]): void => {
  const temporary = `${file}.${process.pid}.tmp`
  const handle = fs.openSync(temporary, 'w')
  try {
    for (const part of parts) fs.writeSync(handle, part)
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
  fs.renameSync(temporary, file)
}

/** Null when the file is missing, foreign or torn. */
export const readTensors = <State>(file: string): Checkpoint<State> | null => {
  if (!fs.existsSync(file)) return null
  const bytes = fs.readFileSync(file)
  const body = bytes.subarray(0, -DIGEST_BYTES)
  const digest = createHash('sha256').update(body).digest()
  if (!body.subarray(0, MAGIC.length).equals(MAGIC) || !bytes.subarray(-DIGEST_BYTES).equals(digest))
    return null
  let at = MAGIC.length + 4
  const header = body.subarray(at, (at += body.readUInt32LE(MAGIC.length))).toString()
  const { step, state, sizes } = JSON.parse(header) as { step: number; state: State; sizes: number[] }
  const tensors = sizes.map((size) => {
    const values = new Float32Array(size)
    new Uint8Array(values.buffer).set(body.subarray(at, (at += 4 * size)))
    return values
  })
  return { step, state, tensors }
}
