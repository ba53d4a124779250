import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { installed } from './installed.mjs'
import { has, root, runQuietly, say, SetupError } from './process.mjs'

/** npm's packages, anew whenever package-lock.json has changed. No install scripts run. */
export const ensureDependencies = async () => {
  const lock = fs.readFileSync(path.join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex')
  const stamp = path.join(root, 'node_modules/.normforge-lock')
  const current = () => fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash
  if (current()) return
  if (!has('npm')) throw new SetupError('npm is missing; install Node.js 20 or newer with npm')
  await installed.locked(path.join(root, '.out', 'dependencies.lock'), async () => {
    if (current()) return
    say('installing packages (npm ci)')
    const { code, output } = await runQuietly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: root,
    })
    if (code !== 0) {
      const cause =
        output.split('\n').find((line) => /npm (error|ERR!)/.test(line)) ?? output.trim().split('\n').at(-1)
      throw new SetupError(`the packages can't be installed: is the network there? npm says: ${cause}`)
    }
    fs.writeFileSync(stamp, hash)
  })
}
