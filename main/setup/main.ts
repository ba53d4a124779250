/** Set-up's second half, under Node 24: makes ready what a verb needs, then runs it in this one's place. */
import path from 'node:path'
import { ensureElectron } from './electron.ts'
import { ensureEngine } from './engine.ts'
import { DESKTOP, ensureDesktop, ensurePage } from './page.ts'
import { windowObstacle } from './places.mjs'
import { root, say, sentenceOf, SetupError, spawnThrough } from './process.mjs'

const node = (file: string, args: readonly string[]): Promise<number> =>
  spawnThrough(process.execPath, ['--disable-warning=ExperimentalWarning', path.join(root, file), ...args])

/** Electron that ends with an error so soon did not start. */
const SOON_MS = 8000

/** The desktop window's exit code; null, with the reason said, where the browser has to do. */
const openWindow = async (args: readonly string[]): Promise<number | null> => {
  const obstacle = windowObstacle()
  const electron = obstacle === null ? await ensureElectron() : null
  if (electron !== null) await ensureDesktop()
  const begun = Date.now()
  const code = electron === null ? null : await spawnThrough(electron, [path.join(root, DESKTOP), ...args])
  if (code !== null && (code === 0 || Date.now() - begun > SOON_MS)) return code
  const reason =
    obstacle ??
    (code === null
      ? "Electron's binary is not to be had here"
      : `Electron does not start (exit code ${code})`)
  say(`${reason}: opening the workbench in the browser`)
  return null
}

const start = async (args: readonly string[]): Promise<number> => {
  await ensureEngine()
  await ensurePage()
  const rest = args.filter((arg) => arg !== '--browser')
  const code = rest.length < args.length ? null : await openWindow(rest)
  return code ?? node('main/serve.ts', rest)
}

/** Commands of the command line that train or record. */
const NEEDING_ENGINE: ReadonlySet<string> = new Set(
  'search resume classify train transfer verify study inspect worker'.split(' '),
)

const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  start,
  /** The tests build the page themselves: one that doesn't build is their first failure. */
  test: async (args) => {
    await ensureEngine()
    return node('test/run.ts', args)
  },
  'test:long': async (args) => {
    await ensureEngine()
    return node('test/long/run.ts', args)
  },
  cli: async (args) => {
    if (NEEDING_ENGINE.has(args[0] ?? '')) await ensureEngine()
    return node('main/cli.ts', args)
  },
  bench: async (args) => {
    await ensureEngine()
    return node('test/bench/run.ts', args)
  },
  /** Imported here alone: its tools are packages that set-up may have to install first. */
  package: async (args) => (await import('./package.ts')).makePackage(args),
  check: (args) => node('test/run.ts', ['--check', ...args]),
  /** Everything, and nothing run: for images and installers. */
  setup: async () => {
    await ensureEngine()
    await ensureDesktop()
    return 0
  },
}

const [verb = 'start', ...args] = process.argv.slice(2)
try {
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined
  if (!run) throw new SetupError(`needed one of ${Object.keys(VERBS).join(', ')}, got "${verb}"`)
  process.exitCode = await run(args)
} catch (error) {
  const sentence = sentenceOf(error)
  if (sentence === null) throw error
  say(sentence)
  process.exitCode = 1
}
