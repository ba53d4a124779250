import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { installed } from './installed.mjs'
import { root, runQuietly, say, SetupError } from './process.mjs'

/** The page's sources: a change in any of them builds it anew. */
const SOURCES = ['renderer', 'shared', 'vite.config.ts', 'package-lock.json']

const hashOf = (): string => {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    const at = path.join(root, source)
    const files = !fs.existsSync(at)
      ? []
      : fs.statSync(at).isFile()
        ? [at]
        : fs
            .readdirSync(at, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => path.join(entry.parentPath, entry.name))
    for (const file of files.sort()) hash.update(path.relative(root, file)).update(fs.readFileSync(file))
  }
  return hash.digest('hex')
}

/** Builds the page into dist/, when its sources changed since the last build. */
export const ensurePage = async (): Promise<void> => {
  const stamp = path.join(root, 'dist/.stamp')
  const hash = hashOf()
  const current = () => fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash
  if (current()) return
  await installed.locked(path.join(root, '.out', 'page.lock'), async () => {
    if (current()) return
    say('building the page')
    const { code, output } = await runQuietly(
      process.execPath,
      [path.join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'],
      { cwd: root },
    )
    if (code !== 0) throw new SetupError(`the page doesn't build:\n${output.trim()}`)
    fs.writeFileSync(stamp, hash)
  })
}
