// The way in of every npm script: `node main/setup/run.mjs <verb> [arguments]`. Plain JavaScript without
// dependencies, since it runs on whatever Node is there (20 or newer), before anything is installed.
import { ensureDependencies } from './dependencies.mjs'
import { ensureNode24, findNode24 } from './node24.mjs'
import { root, say, SetupError, spawnThrough } from './process.mjs'

const setup = `${root}/main/setup`
const args = process.argv.slice(2)
const verbs = args[0] === 'cli' ? args.slice(1) : args

/** The doctor must work where set-up does not: on the Node that is there, with nothing fetched. */
const examine = () =>
  spawnThrough(findNode24() ?? process.execPath, [`${setup}/doctor.mjs`, ...verbs.slice(1)])

const setUpAndRun = async () => {
  const node = await ensureNode24()
  await ensureDependencies()
  return spawnThrough(node, ['--disable-warning=ExperimentalWarning', `${setup}/main.ts`, ...args])
}

try {
  process.exitCode = await (verbs[0] === 'doctor' ? examine() : setUpAndRun())
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
