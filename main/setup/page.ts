import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { installed } from './installed.mjs'
import { root, runQuietly, say, SetupError } from './process.mjs'

/** Something that Vite makes of sources: a change in any of them makes it anew. */
type Build = {
  readonly name: string
  readonly config: string
  readonly sources: readonly string[]
  readonly out: string
}

const PAGE: Build = {
  name: 'page',
  config: 'vite.config.ts',
  sources: ['renderer', 'shared', 'vite.config.ts', 'package-lock.json'],
  out: 'dist',
}

/** The desktop window's folder, as it ships in its archive: main.cjs, preload.cjs, the page, and where the host lies. */
export const DESKTOP = '.out/desktop'
const WINDOW: Build = {
  name: 'desktop window',
  config: 'vite.electron.config.ts',
  sources: [
    ...['main/electron', 'main/desktop/messages.ts', 'main/page.ts', 'main/policy.ts'],
    ...['vite.electron.config.ts', 'package-lock.json', 'package.json'],
  ],
  out: DESKTOP,
}

/** A hash of the contents of files and folders below the root. */
export const hashOf = (sources: readonly string[]): string => {
  const hash = createHash('sha256')
  for (const source of sources) {
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

/** Makes it where its sources changed since it was last made; `finish` adds what Vite doesn't. */
const ensureBuilt = async (
  { name, config, sources, out }: Build,
  finish = (_out: string): void => undefined,
) => {
  const stamp = path.join(root, out, '.stamp')
  const hash = hashOf(sources)
  const current = () => fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === hash
  if (current()) return
  await installed.locked(path.join(root, '.out', `${path.basename(out)}.lock`), async () => {
    if (current()) return
    say(`building the ${name}`)
    const vite = path.join(root, 'node_modules/vite/bin/vite.js')
    const args = [vite, 'build', '--config', config, '--logLevel', 'warn']
    const { code, output } = await runQuietly(process.execPath, args, { cwd: root })
    if (code !== 0) throw new SetupError(`the ${name} doesn't build:\n${output.trim()}`)
    finish(path.join(root, out))
    fs.writeFileSync(stamp, hash)
  })
}

/** Builds the page into dist/. */
export const ensurePage = (): Promise<void> => ensureBuilt(PAGE)

/** Builds what Electron starts, beside the page; there the host runs from these sources, in this Node. */
export const ensureDesktop = async (): Promise<void> => {
  await ensurePage()
  await ensureBuilt(WINDOW, (out) => {
    const { name, version, description } = JSON.parse(
      fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
    ) as Record<string, string>
    const told = { name, version, description, main: 'main.cjs' }
    fs.writeFileSync(path.join(out, 'package.json'), JSON.stringify(told, null, 2))
    fs.copyFileSync(path.join(root, 'main/electron/preload.cjs'), path.join(out, 'preload.cjs'))
    fs.symlinkSync(path.join(root, 'dist'), path.join(out, 'page'))
  })
  const host = { node: process.execPath, program: path.join(root, 'main/serve.ts') }
  fs.writeFileSync(path.join(root, DESKTOP, 'host.json'), JSON.stringify(host, null, 2))
}
