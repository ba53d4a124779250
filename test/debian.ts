/** What the tests need of the system, installed from Debian where they run as root. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { installed } from '../main/setup/installed.mjs'
import { root, runQuietly, say } from '../main/setup/process.mjs'

const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')

/** dpkg asks for programs of the administrator's, which are not on everyone's PATH. */
const PATH = [process.env.PATH ?? '', '/usr/sbin', '/sbin'].join(path.delimiter)
/** apt-get runs for one test file at a time, and waits for others on the machine. */
const APT = ['-y', '-qq', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120']

/** Installs those of `missing()` that are still missing when its turn comes; what fails is missing afterwards. */
export const installFromDebian = async (missing: () => readonly string[], purpose: string): Promise<void> => {
  if (missing().length === 0 || !canInstall()) return
  await installed.locked(path.join(root, '.out', 'apt.lock'), async () => {
    const packages = missing()
    if (packages.length === 0) return
    say(`installing ${packages.join(', ')} for ${purpose}`)
    const env = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    for (const step of [['update'], ['install', ...packages]])
      await runQuietly('apt-get', [...APT, ...step], { env, timeout: 240_000 })
  })
}
