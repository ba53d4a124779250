/**
 * Tells a layer that makes its training crash from a machine on which every training does. A failure is held back until
 * another training of its kind gives a result; when none does, the search stops with nothing recorded, so that a
 * resumed one trains those layers anew.
 */
import { knownLayer } from '../../shared/known.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { EnvironmentError } from '../workers/protocol.ts'
import { scoreTask } from './task.ts'
import type { Context } from './trainings.ts'

/** Failures one after another, without a result between, that stop a search in any case. */
const MOST = 10
/** The plainest layer, and for how long it is trained to see whether trainings work at all. */
const [PLAINEST, STEPS] = ['BN-ReLU', 5] as const

/** Throws the reason to stop when the machine is at fault; `results`: whether a training of the kind gave one. */
type Decide = (cause: string, failed: number, results: boolean) => Promise<void>

/** The failures of one kind of training: baselines, candidates or re-rankings. */
export class Failures {
  readonly #signal: AbortSignal
  readonly #decide: Decide
  #held: (() => void)[] = []
  #underWay = 0
  #inARow = 0
  #results = false

  constructor(signal: AbortSignal, decide: Decide) {
    this.#signal = signal
    this.#decide = decide
  }

  begin(): void {
    this.#underWay += 1
  }

  /** One that ended in an earlier process. */
  recall(): void {
    this.#results = true
  }

  result(): void {
    this.#underWay -= 1
    this.#inARow = 0
    this.#results = true
    this.#believe()
  }

  /** Resolves when the layer is to blame. Rejects when the search is to stop, or was stopped meanwhile. */
  async failure(cause: string): Promise<void> {
    this.#signal.throwIfAborted()
    this.#underWay -= 1
    this.#inARow += 1
    if (this.#inARow >= MOST)
      throw new EnvironmentError(`${MOST} trainings in a row failed, the last one: ${cause}`)
    const believed = new Promise<void>((resolve, reject) => {
      this.#held.push(resolve)
      this.#signal.addEventListener('abort', () => reject(this.#signal.reason as Error), { once: true })
    })
    // Who awaits `believed` below comes too late when the decision is to stop.
    believed.catch(() => undefined)
    if (this.#underWay === 0) {
      await this.#decide(cause, this.#held.length, this.#results)
      this.#believe()
    }
    return believed
  }

  #believe(): void {
    for (const resolve of this.#held.splice(0)) resolve()
  }
}

/** All baselines failed: there is nothing to compare candidates with. */
export const decideBaselines: Decide = async (cause, failed, results) => {
  if (!results)
    throw new EnvironmentError(
      failed === 1 ? `the baseline failed: ${cause}` : `all ${failed} baselines failed: ${cause}`,
    )
}

/** All that was under way failed: the plainest layer is trained for some steps, and the search stops if that fails, too. */
export const decideByPlainest =
  ({ pool, id, controller }: Context, config: SearchConfig): Decide =>
  async (cause) => {
    const task = scoreTask(config, knownLayer(PLAINEST).graph, 'baseline')
    const steps = Math.min(STEPS, config.training.steps)
    const outcome = await pool.run({
      task: { ...task, training: { ...task.training, steps } },
      search: id,
      candidate: 0,
      signal: controller.signal,
    })
    if (outcome.kind === 'failure')
      throw new EnvironmentError(`every training fails, that of ${PLAINEST}, too: ${cause}`)
    if (outcome.kind === 'environment') throw new EnvironmentError(outcome.message)
    controller.signal.throwIfAborted()
  }
