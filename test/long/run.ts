/** `npm run test:long -- <what>`: tests that take long; without a word, all of them but the soak. */
import { kills } from './kills.ts'
import { soak } from './soak.ts'
import { writes } from './writes.ts'

const PARTS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  writes,
  kills,
  soak,
  package: async () => void (await import('./package.ts')),
}

const [what, ...args] = process.argv.slice(2)
const part = what === undefined ? null : PARTS[what]
if (what === undefined) {
  await writes([])
  await kills([])
} else if (part) await part(args)
else {
  console.error(`test:long: needed one of ${Object.keys(PARTS).join(', ')}, got "${what}"`)
  process.exitCode = 1
}
