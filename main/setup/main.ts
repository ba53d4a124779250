/** Set-up's second half, under Node 24: makes ready what a verb needs, then runs it in this one's place. */
import path from 'node:path'
import { ensureElectron } from './electron.ts'
import { ensurePage } from './page.ts'
import { root, say, SetupError, spawnThrough } from './process.mjs'
import { ensureTensorFlow } from './tensorflow.ts'

const node = (file: string, args: readonly string[]): Promise<number> =>
  spawnThrough(process.execPath, ['--disable-warning=ExperimentalWarning', path.join(root, file), ...args])

const start = async (args: readonly string[]): Promise<number> => {
  await ensureTensorFlow()
  await ensurePage()
  const electron = args.includes('--browser') ? null : ensureElectron()
  if (electron) return spawnThrough(electron, [root, ...args])
  if (!args.includes('--browser'))
    say("Electron's binary is not to be had here: opening the workbench in the browser")
  return node(
    'main/serve.ts',
    args.filter((arg) => arg !== '--browser'),
  )
}

const VERBS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  start,
  /** The tests build the page themselves: one that doesn't build is their first failure. */
  test: async (args) => {
    await ensureTensorFlow()
    return node('test/run.ts', args)
  },
  cli: async (args) => {
    if (['search', 'resume', 'train'].includes(args[0] ?? '')) await ensureTensorFlow()
    return node('main/cli.ts', args)
  },
  bench: async (args) => {
    await ensureTensorFlow()
    return node('test/bench/run.ts', args)
  },
  doctor: (args) => node('main/cli.ts', ['doctor', ...args]),
  check: (args) => node('test/run.ts', ['--check', ...args]),
  /** Everything, and nothing run: for images and installers. */
  setup: async () => {
    await ensureTensorFlow()
    await ensurePage()
    return 0
  },
}

const [verb = 'start', ...args] = process.argv.slice(2)
try {
  const run = VERBS[verb]
  if (!run) throw new SetupError(`needed one of ${Object.keys(VERBS).join(', ')}, got "${verb}"`)
  process.exitCode = await run(args)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
