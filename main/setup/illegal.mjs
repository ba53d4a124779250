// What becomes of the engine's kernels when a worker meets an instruction that its processor doesn't have: they are left
// out at once, and compiled anew by the next set-up; where it then comes again, they are left out for good.
import fs from 'node:fs'
import path from 'node:path'
import { diskSentence } from './disk.mjs'
import { KERNELS } from './places.mjs'
import { say } from './process.mjs'

/** The mark beside a folder of kernels. @param {string} folder */
const markOf = (folder) => `${folder}.illegal`

/** @param {string} file */
const timeOf = (file) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null

/**
 * What to do with a folder of kernels: they are fine; they are to be compiled anew; they were, and crashed again.
 * @param {string} folder @returns {'fine' | 'stale' | 'hopeless'}
 */
export const verdictOn = (folder) => {
  const mark = markOf(folder)
  const noted = timeOf(mark)
  if (noted === null) return 'fine'
  if (fs.readFileSync(mark, 'utf8') === 'again') return 'hopeless'
  return (timeOf(folder) ?? Infinity) > noted ? 'fine' : 'stale'
}

/**
 * Notes that a worker died of an illegal instruction: workers from now on do without the kernels that were there.
 */
export const noteIllegalInstruction = (kernels = KERNELS) => {
  if (!fs.existsSync(kernels) || process.env.NORMFORGE_KERNELS === '0') return
  const folder = path.dirname(fs.realpathSync(kernels))
  if (verdictOn(folder) !== 'fine') return
  const again = timeOf(markOf(folder)) !== null
  const next = again ? '' : ', which the next start compiles anew'
  say(
    `a worker met an illegal instruction (SIGILL)${again ? ' once more' : ''}: going on without the engine's own kernels${next}`,
  )
  try {
    fs.writeFileSync(markOf(folder), again ? 'again' : 'once')
  } catch (error) {
    say(diskSentence(error) ?? String(error))
  }
}
