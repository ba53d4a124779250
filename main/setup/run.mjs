// The way in of every npm script: `node main/setup/run.mjs <verb> [arguments]`. Plain JavaScript without
// dependencies, since it runs on whatever Node is there (20 or newer), before anything is installed.
import { ensureDependencies } from './dependencies.mjs'
import { ensureNode24 } from './node24.mjs'
import { root, say, SetupError, spawnThrough } from './process.mjs'

try {
  const node = await ensureNode24()
  // The doctor must work where set-up does not.
  if (process.argv[2] !== 'doctor') await ensureDependencies()
  process.exitCode = await spawnThrough(node, [
    '--disable-warning=ExperimentalWarning',
    `${root}/main/setup/main.ts`,
    ...process.argv.slice(2),
  ])
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
