/** Signals by which the processor, the allocator or the system ends a process. */
import type { News } from './protocol.ts'

/** What each says: a fault of native code, or of what was compiled for another machine. */
const MEANINGS: Readonly<Record<string, string>> = {
  SIGABRT: 'native code gave up, as the allocator does when it finds its memory damaged',
  SIGSEGV: "native code reached for memory that isn't the process's",
  SIGBUS: "native code reached for memory that isn't there",
  SIGILL: "native code holds an instruction that this processor doesn't have",
  SIGFPE: 'native code divided by zero',
  SIGTRAP: 'native code gave up',
}

export const isNativeCrash = (signal: string | null): boolean => signal !== null && signal in MEANINGS

/** "train, resnet, step 30": the last that a task told of itself. */
const phaseOf = (news: News): string =>
  news.kind === 'progress'
    ? `${news.progress.stage}, ${news.progress.architecture}, step ${news.progress.step}`
    : `step ${news.progress.step}`

/** Why a process that ended by a signal did, with what is known of where: its last news, and the op last started. */
export const signalText = (signal: string, news: News | null, op: string | null): string => {
  if (signal === 'SIGKILL') return 'killed by the system (SIGKILL), as happens when memory runs out'
  const meaning = MEANINGS[signal] ? ` (${MEANINGS[signal]})` : ''
  const where = news === null ? '' : `; last heard of at: ${phaseOf(news)}`
  return `crashed with ${signal}${meaning}${where}${op === null ? '' : `; the op last started: ${op}`}`
}

/**
 * How a traced process writes that an op starts: TensorFlow's executor, of a recorded step, and the engine, otherwise. What
 * only hands values in and out of a graph doesn't count.
 */
const STARTED = /\}\} = (?:_Mkl(?:Native|Fused)*)?((?!NoOp)[A-Z]\w*)\[/g
/** Longer than what of a line the pattern needs. */
const CARRIED = 200

/** Follows what a traced process writes: the op last started. */
export const followOps = (): { add(chunk: string): void; last(): string | null } => {
  let carried = ''
  let last: string | null = null
  return {
    add: (chunk) => {
      const text = carried + chunk
      for (const [, op] of text.matchAll(STARTED)) last = op!
      carried = text.slice(-CARRIED)
    },
    last: () => last,
  }
}
