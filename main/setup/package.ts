/**
 * `npm run package [-- dir|deb]`: the desktop app for a Linux machine that has nothing of what set-up needs. In Electron's
 * folder lies the archive of the window, and beside it the host: Node, these sources, what they import, and TensorFlow's
 * libraries with the addon and kernels made for them beforehand. Every link in it is relative.
 */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { compileAgainst, librariesIn } from './addon.ts'
import { ensureElectron } from './electron.ts'
import { makeDebian } from './debian.ts'
import { ensureEngine } from './engine.ts'
import { flagsFor } from './kernels.ts'
import { writeManifest } from './manifest.mjs'
import { DESKTOP, ensureDesktop } from './page.ts'
import { ADDON, KERNELS } from './places.mjs'
import { npm, root, say, SetupError } from './process.mjs'

const OUT = path.join(root, '.out/packages')
/** Processors that kernels are compiled for beforehand, by their level (processor.mjs). */
export const LEVELS = ['x86-64-v3', 'x86-64'] as const
/** What of a dependency nobody runs: maps, types, and builds for browsers. */
const LEFT_OUT =
  /\.(map|d\.[cm]?ts)$|\/(tf[\w-]*\.(es2017|fesm|min)[\w.]*|tf[\w-]*\.es2017\.min\.js|miniprogram)/

type Library = { createPackage(from: string, to: string): Promise<void> }
type Fuses = {
  flipFuses(binary: string, fuses: object): Promise<unknown>
  readonly FuseV1Options: Readonly<Record<string, number>>
  readonly FuseVersion: { readonly V1: string }
}
const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder'))
const tools = createRequire(builder.resolve('app-builder-lib'))

export type PackageOptions = {
  /** Electron's folder and its binary's name in it. */
  readonly electron: { readonly folder: string; readonly binary: string }
  /** The folder of the window's archive. */
  readonly app: string
  readonly out: string
}

const copy = (from: string, to: string, leave?: RegExp): void =>
  fs.cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    mode: fs.constants.COPYFILE_FICLONE,
    filter: (file) => !leave?.test(file),
  })

/** The packages that the program imports when it runs, with theirs: paths below the root. */
const dependencies = (): string[] => {
  const [program, ...args] = npm() ?? []
  if (!program) throw new SetupError('npm is missing; install Node.js 20 or newer with npm')
  const listed = spawnSync(program, [...args, 'ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
  })
  const found = listed.stdout.split('\n').filter((line) => line.includes('node_modules'))
  if (found.length === 0) throw new SetupError(`the packages can't be listed: npm says: ${listed.stderr}`)
  return found.map((line) => path.relative(root, line))
}

/** The licence of each package that ships, as one text. */
const licences = (packages: readonly string[]): string =>
  packages
    .map((at) => {
      const folder = path.join(root, at)
      const { name, version, license } = JSON.parse(
        fs.readFileSync(path.join(folder, 'package.json'), 'utf8'),
      ) as Record<string, unknown>
      const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? '' : fs.readFileSync(path.join(folder, file), 'utf8').trim()
      return `${String(name)} ${String(version)}: ${typeof license === 'string' ? license : 'see below'}\n\n${text}`
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)

const layHost = async (host: string): Promise<void> => {
  fs.mkdirSync(path.join(host, 'bin'), { recursive: true })
  copy(fs.realpathSync(process.execPath), path.join(host, 'bin/node'))
  for (const name of ['main', 'shared', 'package.json', 'LICENSE'])
    copy(path.join(root, name), path.join(host, name), /main\/electron|\.map$/)
  const packages = dependencies()
  for (const at of packages) copy(path.join(root, at), path.join(host, at), LEFT_OUT)
  fs.writeFileSync(path.join(host, 'LICENSES.txt'), licences(packages))

  await ensureEngine()
  const runtime = path.dirname(fs.realpathSync(ADDON))
  const libraries = librariesIn(runtime)
  if (!libraries) throw new SetupError(`needed TensorFlow's libraries beside their addon, in ${runtime}`)
  copy(libraries.folder, path.join(host, 'tensorflow/tensorflow'), /\/include$/)
  copy(fs.realpathSync(ADDON), path.join(host, 'tensorflow', path.basename(ADDON)))
  writeManifest(path.join(host, 'tensorflow'), '/opt/NormForge', 'wheel')
  const addon = path.join(host, path.relative(root, ADDON))
  fs.rmSync(path.dirname(addon), { recursive: true, force: true })
  fs.mkdirSync(path.dirname(addon), { recursive: true })
  const target = path.join(host, 'tensorflow', path.basename(ADDON))
  fs.symlinkSync(path.relative(path.dirname(addon), target), addon)

  for (const level of LEVELS) {
    const folder = path.join(host, 'kernels', level)
    fs.mkdirSync(folder, { recursive: true })
    const error = await compileAgainst(libraries, {
      sources: [path.join(root, 'main/engine/native/addon.cc')],
      flags: flagsFor(level),
      to: path.join(folder, path.basename(KERNELS)),
    })
    if (error !== null) throw new SetupError(`the kernels for ${level} don't compile: ${error}`)
    // The link that leads to the libraries of this machine, to those of the package.
    fs.rmSync(path.join(folder, 'libraries'))
    fs.symlinkSync('../../tensorflow/tensorflow', path.join(folder, 'libraries'))
  }
}

const FUSES = {
  RunAsNode: false,
  EnableNodeOptionsEnvironmentVariable: false,
  EnableNodeCliInspectArguments: false,
  EnableEmbeddedAsarIntegrityValidation: true,
  OnlyLoadAppFromAsar: true,
}

/** Lays the app out in a folder, ready to be started there. */
export const layOut = async ({ electron, app, out }: PackageOptions): Promise<string> => {
  fs.rmSync(out, { recursive: true, force: true })
  copy(electron.folder, out)
  const binary = path.join(out, 'normforge')
  fs.renameSync(path.join(out, electron.binary), binary)
  const resources = path.join(out, 'resources')
  fs.rmSync(resources, { recursive: true, force: true })
  fs.mkdirSync(resources)
  await layHost(path.join(resources, 'host'))

  const staged = `${out}.app`
  fs.rmSync(staged, { recursive: true, force: true })
  fs.cpSync(app, staged, {
    recursive: true,
    dereference: true,
    filter: (file) => !/\.(stamp|map)$/.test(file),
  })
  const place = { node: '../host/bin/node', program: '../host/main/serve.ts' }
  fs.writeFileSync(path.join(staged, 'host.json'), JSON.stringify(place))
  await (tools('@electron/asar') as Library).createPackage(staged, path.join(resources, 'app.asar'))
  fs.rmSync(staged, { recursive: true })

  const { flipFuses, FuseV1Options, FuseVersion } = tools('@electron/fuses') as Fuses
  const fuses = Object.entries(FUSES).map(([name, value]) => [String(FuseV1Options[name]), value] as const)
  await flipFuses(binary, { version: FuseVersion.V1, ...Object.fromEntries(fuses) })
  fs.copyFileSync(path.join(root, 'renderer/icon.svg'), path.join(resources, 'normforge.svg'))
  return out
}

const sizeOf = (folder: string): string => {
  const { stdout } = spawnSync('du', ['-sm', folder], { encoding: 'utf8' })
  return `${(stdout ?? '').split('\t')[0]} MiB`
}

/** `npm run package`. */
export const makePackage = async (args: readonly string[]): Promise<number> => {
  const [target = 'dir'] = args
  if (!['dir', 'deb'].includes(target)) throw new SetupError(`needed dir or deb, got "${target}"`)
  await ensureDesktop()
  const binary = await ensureElectron()
  if (binary === null)
    throw new SetupError("Electron's binary is not to be had here: a package consists of it")
  const electron = { folder: path.dirname(binary), binary: path.basename(binary) }
  const app = path.join(root, DESKTOP)
  const out = await layOut({ electron, app, out: path.join(OUT, 'normforge') })
  say(`${out}: ${sizeOf(out)}`)
  if (target === 'deb') say(await makeDebian(out, OUT))
  return 0
}
