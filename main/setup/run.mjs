// The way in of every npm script: `node main/setup/run.mjs <verb> [arguments]`. Plain JavaScript without
// dependencies, since it runs on whatever Node is there (20 or newer), before anything is installed.
import fs from 'node:fs'
import { ensureDependencies } from './dependencies.mjs'
import { ensureNode24, findNode24 } from './node24.mjs'
import { ADDON } from './places.mjs'
import { platformObstacle } from './platform.mjs'
import { root, say, sentenceOf, SetupError, spawnThrough } from './process.mjs'

const setup = `${root}/main/setup`
const args = process.argv.slice(2)

/** The doctor must work where set-up does not: on the Node that is there, with nothing fetched. */
const examine = () => spawnThrough(findNode24() ?? process.execPath, [`${setup}/doctor.mjs`, ...args])
const asksDoctor = () =>
  args[0] === 'doctor' ||
  (args[0] === 'cli' && args[1] === 'doctor' && !fs.existsSync(`${root}/node_modules`))

const setUpAndRun = async () => {
  // Said before anything is fetched that would be of no use.
  const needsEngine = ['start', 'test', 'bench', 'setup'].includes(args[0] ?? 'start')
  const bare = needsEngine && !fs.existsSync(ADDON) && !process.env.NORMFORGE_TENSORFLOW
  const obstacle = bare ? platformObstacle() : null
  if (obstacle !== null) throw new SetupError(obstacle)
  const node = await ensureNode24()
  await ensureDependencies()
  return spawnThrough(node, ['--disable-warning=ExperimentalWarning', `${setup}/main.ts`, ...args])
}

try {
  process.exitCode = await (asksDoctor() ? examine() : setUpAndRun())
} catch (error) {
  const sentence = sentenceOf(error)
  if (sentence === null) throw error
  say(sentence)
  process.exitCode = 1
}
