import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { installed } from './installed.mjs'
import { npm, requireSpace, root, runQuietly, say, SetupError } from './process.mjs'

/** About what node_modules takes. */
const BYTES = 0.8e9

/** @param {string} output */
const causeIn = (output) =>
  output.split('\n').find((line) => /npm (error|ERR!) (?!code)/.test(line)) ??
  output.trim().split('\n').at(-1)

/** npm's packages, anew whenever package-lock.json has changed. No install scripts run. */
export const ensureDependencies = async () => {
  const lock = fs.readFileSync(path.join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex')
  const stamp = path.join(root, 'node_modules/.normforge-lock')
  const current = () => fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash
  if (current()) return
  const command = npm()
  if (!command) throw new SetupError('npm is missing; install Node.js 20 or newer with npm')
  await installed.locked(path.join(root, '.out', 'dependencies.lock'), async () => {
    if (current()) return
    requireSpace(root, BYTES)
    say('installing packages (npm ci)')
    const [program, ...args] = command
    const ci = [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund']
    const { code, output } = await runQuietly(program, ci, { cwd: root })
    if (code !== 0) {
      // npm has emptied the folder by then: what it left is of no use.
      fs.rmSync(path.join(root, 'node_modules'), { recursive: true, force: true })
      throw new SetupError(
        `the packages can't be installed: is the network there? npm says: ${causeIn(output)}`,
      )
    }
    fs.writeFileSync(stamp, hash)
  })
}
