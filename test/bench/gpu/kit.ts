/**
 * Packs everything that a machine without a network needs to run this program into parts of a size that can be carried, beside a
 * script that joins, verifies and runs them (run.sh).
 */
import { spawn } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { root, say, SetupError } from '../../../main/setup/process.mjs'
import { runtimeFolder } from '../../../main/setup/tensorflow.ts'

const SCRIPT = fileURLToPath(new URL('run.sh', import.meta.url))
/** What the program makes anew, or has no use for elsewhere. */
const LEFT_OUT = [
  ...['./.git', './.out', './node_modules/.cache', './node_modules/.vite'],
  // Links into this machine's cache folder.
  './node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8',
]

/** `size`: bytes of each part but the last. */
export const packKit = async (
  folder: string,
  { device, partBytes }: { readonly device: string; readonly partBytes: number },
): Promise<void> => {
  if (device !== 'gpu' && device !== 'cpu')
    throw new SetupError(`kit: needed --device gpu or cpu, got "${device}"`)
  const runtime = await runtimeFolder(device)
  // The program itself at the top, the runtime in cache/, this Node beside run.mjs.
  const moved = [path.basename(runtime), path.basename(process.execPath)] as const
  await pack(folder, partBytes, [
    ...LEFT_OUT.map((name) => `--exclude=${name}`),
    `--transform=s,^${moved[0]},cache/&,S`,
    `--transform=s,^${moved[1]}$,node,S`,
    ...['-C', root, '.'],
    ...['-C', path.dirname(runtime), moved[0]],
    ...['-C', path.dirname(process.execPath), moved[1]],
  ])
  say(`the kit is in ${folder}: copy it whole, then there: sh run.sh`)
}

/** An archive of what tar's arguments name, compressed, as parts with their checksums and the script, in an empty folder. */
export const pack = async (folder: string, partBytes: number, what: readonly string[]): Promise<void> => {
  if (!(Number.isInteger(partBytes) && partBytes >= 1))
    throw new SetupError(`kit: needed parts of a whole number of bytes, got ${partBytes}`)
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0)
    throw new SetupError(`kit: needed an empty folder, got ${folder}`)
  fs.mkdirSync(folder, { recursive: true })
  // A light compression: CUDA's libraries halve, and the processor is hardly slower than a disk.
  const tar = spawn('tar', ['-cf', '-', '-I', 'gzip -1', ...what], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  tar.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)))
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.on('error', reject)
    tar.on('close', resolve)
  })
  const parts = await split(tar.stdout, partBytes, folder)
  if ((await ended) !== 0) throw new SetupError(`kit: tar says: ${errors.trim()}`)
  // Last: a kit without it is none.
  fs.copyFileSync(SCRIPT, path.join(folder, 'run.sh'))
  fs.writeFileSync(
    path.join(folder, 'parts.sha256'),
    parts.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''),
  )
}

type Part = { readonly name: string; readonly sha256: string }

const split = async (stream: Readable, partBytes: number, folder: string): Promise<Part[]> => {
  const parts: Part[] = []
  let open: { readonly name: string; readonly file: number; readonly hash: Hash; left: number } | null = null
  const close = (): void => {
    if (!open) return
    fs.closeSync(open.file)
    parts.push({ name: open.name, sha256: open.hash.digest('hex') })
    open = null
  }
  for await (const chunk of stream as AsyncIterable<Buffer>)
    for (let rest = chunk; rest.length > 0;) {
      const name = `part-${String(parts.length).padStart(4, '0')}`
      open ??= {
        name,
        file: fs.openSync(path.join(folder, name), 'w'),
        hash: createHash('sha256'),
        left: partBytes,
      }
      const piece = rest.subarray(0, open.left)
      fs.writeSync(open.file, piece)
      open.hash.update(piece)
      open.left -= piece.length
      rest = rest.subarray(piece.length)
      if (open.left === 0) close()
    }
  close()
  return parts
}
