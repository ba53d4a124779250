/** `npm run test:long -- writes`: the tests of a failing disk (test/store/disk.test.ts) at every single change of the store. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

export const writes = async (args: readonly string[]): Promise<void> => {
  const file = path.resolve(import.meta.dirname, '../store/disk.test.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--test', ...args, file], {
    stdio: 'inherit',
    env: { ...process.env, NORMFORGE_EVERY_WRITE: '1' },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) process.exitCode = 1
}
