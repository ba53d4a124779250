import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { makeFolder } from './disk.mjs'
import { download } from './download.ts'
import { sha256 } from './manifest.mjs'
import { has, requireSpace, say, SetupError } from './process.mjs'
import { KEPT, pipArguments, type Wheel } from './wheels.ts'

/** Resolving a package on a slow index takes a while before the first byte. */
const PATIENCE_SECONDS = 180

export const requirePython = (): string => {
  const python = ['python3', 'python'].find((name) => has(name))
  if (!python)
    throw new SetupError('Python 3 is missing; install it (Debian: apt-get install python3 python3-pip)')
  if (!has(python, ['-m', 'pip', '--version']))
    throw new SetupError('pip is missing for Python 3; install it (Debian: apt-get install python3-pip)')
  return python
}

/** Python's zipfile, since Python is needed anyway: the kept members of a wheel. */
const UNPACK = `
import os, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    if any(name.startswith(kept) for kept in sys.argv[3:]) and not name.endswith('/'):
        file = wheel.extract(name, sys.argv[2])
        os.chmod(file, (wheel.getinfo(name).external_attr >> 16) & 0o777 or 0o644)
`

const fetchWheel = async (python: string, wheel: Wheel, into: string): Promise<void> => {
  const folder = path.join(into, 'download')
  makeFolder(folder)
  const { code, output } = await download({
    label: wheel.requirement,
    program: python,
    args: pipArguments(wheel.requirement, folder),
    // pip downloads inside TMPDIR.
    folders: [folder],
    options: { env: { ...process.env, TMPDIR: folder } },
    bytes: wheel.bytes,
    patienceSeconds: PATIENCE_SECONDS,
  })
  const file = fs.readdirSync(folder).find((name) => name.endsWith('.whl'))
  if (code !== 0 || !file) {
    const said =
      output.split('\n').find((line) => line.startsWith('ERROR')) ?? output.trim().split('\n').at(-1)
    throw new SetupError(`${wheel.requirement} can't be downloaded: is the network there? pip says: ${said}`)
  }
  const archive = path.join(folder, file)
  say(`fetched ${file}, ${fs.statSync(archive).size.toLocaleString('en')} bytes`)
  const got = sha256(archive)
  if (got !== wheel.sha256) throw new SetupError(`${file}: needed SHA-256 ${wheel.sha256}, got ${got}`)
  const unpacked = spawnSync(python, ['-c', UNPACK, archive, into, ...KEPT], { encoding: 'utf8' })
  if (unpacked.status !== 0)
    throw new SetupError(`${file} can't be unpacked: ${unpacked.stderr.trim().split('\n').at(-1)}`)
  fs.rmSync(folder, { recursive: true })
}

/** What is kept of some wheels, into `folder`; `bytes` is the disk space it takes at its peak. */
export const fetchWheels = async (folder: string, wheels: readonly Wheel[], bytes: number): Promise<void> => {
  const python = requirePython()
  requireSpace(folder, bytes)
  say(`fetching ${wheels.map(({ requirement }) => requirement).join(', ')}`)
  for (const wheel of wheels) await fetchWheel(python, wheel, folder)
}
