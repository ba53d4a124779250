/** Several files as one block of bytes: their names and sizes as JSON, then their contents. */
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

export type Packed = { readonly name: string; readonly file: string }

const MOST_FILES = 100_000
const headSchema = z
  .array(z.strictObject({ name: z.string().min(1).max(1000), size: z.int().min(0) }))
  .max(MOST_FILES)

export const pack = (files: readonly Packed[]): Buffer => {
  const contents = files.map(({ file }) => fs.readFileSync(file))
  const head = Buffer.from(JSON.stringify(files.map(({ name }, i) => ({ name, size: contents[i]!.length }))))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([length, head, ...contents])
}

/** A name that stays inside a folder, whatever the system. */
const isInside = (name: string): boolean =>
  !/[\\:\0]/.test(name) && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

/** Writes them into a folder, each whole or not at all. Throws when the bytes are no pack, or a name is not `allowed`. */
export const unpack = (
  bytes: Buffer,
  folder: string,
  allowed: (name: string) => boolean = isInside,
): void => {
  const fail = (got: string): never => {
    throw new Error(`pack: needed names and sizes of files, then their contents, got ${got}`)
  }
  if (bytes.length < 4) fail(`${bytes.length} bytes`)
  const start = 4 + bytes.readUInt32LE(0)
  if (start > bytes.length) fail('a head that is cut off')
  const parsed = headSchema.safeParse(jsonOf(bytes.subarray(4, start).toString()))
  if (!parsed.success) return fail('another head')
  const total = parsed.data.reduce((sum, { size }) => sum + size, start)
  if (total !== bytes.length) fail(`${bytes.length} bytes for ${total}`)
  for (const { name } of parsed.data)
    if (!isInside(name) || !allowed(name)) fail('a name that is not allowed')
  let at = start
  for (const { name, size } of parsed.data) {
    const file = path.join(folder, ...name.split('/'))
    fs.mkdirSync(path.dirname(file), { recursive: true })
    const temporary = `${file}.${process.pid}.tmp`
    fs.writeFileSync(temporary, bytes.subarray(at, (at += size)))
    fs.renameSync(temporary, file)
  }
}

export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
