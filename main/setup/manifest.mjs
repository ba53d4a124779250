import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

/**
 * What a kept runtime consists of. `files`: by name relative to the folder.
 * @typedef {{ source: 'folder' | 'wheel', folder: string, files: Record<string, { sha256: string, bytes: number }> }} Manifest
 */
const MANIFEST = 'manifest.json'

/** @param {string} file */
export const sha256 = (file) => {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(1 << 22)
  const handle = fs.openSync(file, 'r')
  for (let read = fs.readSync(handle, buffer); read > 0; read = fs.readSync(handle, buffer))
    hash.update(buffer.subarray(0, read))
  fs.closeSync(handle)
  return hash.digest('hex')
}

/** @param {string} folder @returns {Manifest | null} */
export const readManifest = (folder) => {
  const file = path.join(folder, MANIFEST)
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null
}

/**
 * Notes the libraries in `temporary`, which is about to become `folder`.
 * @param {string} temporary @param {string} folder @param {Manifest['source']} source
 */
export const writeManifest = (temporary, folder, source) => {
  const files = fs
    .readdirSync(temporary, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(so|node)(\.|$)/.test(name))
    .map((name) => {
      const file = path.join(temporary, name)
      return [name, { sha256: sha256(file), bytes: fs.statSync(file).size }]
    })
  const manifest = { source, folder, files: Object.fromEntries(files) }
  fs.writeFileSync(path.join(temporary, MANIFEST), JSON.stringify(manifest, null, 2))
}

/** Whether a folder has every file in its size: quick enough for each start. @param {string} folder */
export const isWhole = (folder) => {
  const manifest = readManifest(folder)
  return (
    manifest !== null &&
    Object.entries(manifest.files).every(
      ([name, { bytes }]) => fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.size === bytes,
    )
  )
}

/** Files whose checksum is no longer the one they were installed with; takes seconds. @param {string} folder */
export const damagedFiles = (folder) =>
  Object.entries(readManifest(folder)?.files ?? {}).flatMap(([name, noted]) => {
    const file = path.join(folder, name)
    return fs.existsSync(file) && sha256(file) === noted.sha256 ? [] : [file]
  })
