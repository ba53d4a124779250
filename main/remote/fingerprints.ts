/** Data sets told by what is in their files, so that each machine may keep them where it likes. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'

export type Listed = { readonly name: string; readonly file: string; readonly size: number }
export type Fingerprinted = {
  /** 32 hexadecimal digits, of every file's name and content. */
  readonly fingerprint: string
  readonly bytes: number
  readonly files: readonly Listed[]
}

/** Reads a whole file or folder; links are followed. Throws when it can't be read. */
export const fingerprintOf = async (where: string): Promise<Fingerprinted> => {
  const files = (await list(where)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const hash = createHash('sha256')
  for (const { name, file } of files) hash.update(`${name}\0${await digestOf(file)}\n`)
  return {
    fingerprint: hash.digest('hex').slice(0, 32),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    files,
  }
}

/** A single file has the name `.`, so that it is told from a folder with that file. */
const list = async (where: string): Promise<Listed[]> => {
  const found: Listed[] = []
  const walk = async (folder: string, prefix: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(folder)
    // A link to a folder that it lies in has no end.
    if (above.includes(real)) return
    for await (const { name } of await opendir(folder)) {
      const file = path.join(folder, name)
      const stats = await stat(file).catch(() => null)
      if (stats?.isDirectory()) await walk(file, `${prefix}${name}/`, [...above, real])
      else if (stats?.isFile()) found.push({ name: `${prefix}${name}`, file, size: stats.size })
    }
  }
  const stats = await stat(where)
  if (stats.isFile()) return [{ name: '.', file: where, size: stats.size }]
  await walk(where, '', [])
  return found
}

const digestOf = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
