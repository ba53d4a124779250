/**
 * One training session, whatever it trains: the loop over steps, the curve, the checkpoints, the time it takes and when it
 * ends. What is trained, and on what, is told by its parts. A session that goes on from a checkpoint ends bit for bit as
 * one that was never interrupted, since step `n` depends on nothing but the state and `n`.
 */
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'

/** How far a session has come, beside its tensors and its step: plain JSON, kept in checkpoints. */
export type Progress<Loss extends string, Point> = {
  readonly curve: readonly Point[]
  /** Each loss, summed over the steps since the curve's last point; and how many steps that is. */
  readonly sums: Readonly<Record<Loss, number>>
  readonly summed: number
  /** Seconds of work, over all the processes that had a part in it. */
  readonly seconds: number
}

/** The fields of `Progress` in the schema of a checkpoint. */
export const progressFields = <Loss extends string, Point>(
  losses: readonly Loss[],
  point: z.ZodType<Point>,
) => ({
  curve: z.array(point),
  sums: z.record(z.enum(losses), z.number()),
  summed: z.int().min(0),
  seconds: z.number().min(0),
})

/** Where a curve gets its next point. */
export type Due<Point> = {
  readonly step: number
  /** Mean of each loss since the last point; none before the first step. */
  readonly losses: Readonly<Record<string, number>>
  readonly measured: boolean
  /** The points before this one. */
  readonly curve: readonly Point[]
}

/** `Ending` says why a session is over before its last step. */
export type SessionParts<Loss extends string, Point, Ending> = {
  readonly steps: number
  readonly losses: readonly Loss[]
  /** Steps between two measurements and between two checkpoints; the last step to be trained has both. */
  readonly measureEvery: number
  readonly checkpointEvery: number
  /** Whether the curve also gets a point after this step, with `summed` steps since its last one. */
  readonly pointDue: (step: number, summed: number) => boolean
  /** Whether the curve begins with a measurement before the first step. */
  readonly measuresUntrained?: boolean
  /** Trains step `index`, counted from 0; the losses. */
  readonly step: (index: number) => Readonly<Record<Loss, number>> | Promise<Readonly<Record<Loss, number>>>
  /** How a session ends whose loss is not finite after `step` steps. */
  readonly diverged: (loss: Loss, value: number, step: number) => Ending
  /** Looks at the state before it is measured or kept. */
  readonly examine?: (step: number) => Ending | null
  /** The curve's next point, measured and reported; null in its place where nothing could be measured. */
  readonly point: (
    due: Due<Point>,
  ) => Promise<{ readonly point: Point | null; readonly ending: Ending | null }>
  /** Writes a checkpoint; null where none are kept. */
  readonly save: ((step: number, progress: Progress<Loss, Point>) => void) | null
}

export class Session<Loss extends string, Point, Ending> {
  readonly #parts: SessionParts<Loss, Point, Ending>
  readonly #curve: Point[]
  #step: number
  #sums: Record<Loss, number>
  #summed: number
  #seconds: number
  /** Since when the clock runs, by performance.now(); null while it stands still. */
  #since: number | null

  /** The clock runs from `started` on: what was done to prepare the session is work, too. */
  constructor(
    parts: SessionParts<Loss, Point, Ending>,
    from: { readonly step: number; readonly state: Progress<Loss, Point> } | null,
    started: number,
  ) {
    this.#parts = parts
    this.#step = from?.step ?? 0
    this.#curve = [...(from?.state.curve ?? [])]
    this.#sums = from ? { ...from.state.sums } : this.#zeros()
    this.#summed = from?.state.summed ?? 0
    this.#seconds = from?.state.seconds ?? 0
    this.#since = started
  }

  /** Steps trained so far. */
  get step(): number {
    return this.#step
  }

  get curve(): readonly Point[] {
    return this.#curve
  }

  /** Seconds of work so far. */
  get seconds(): number {
    const now = performance.now()
    if (this.#since !== null) {
      this.#seconds += (now - this.#since) / 1000
      this.#since = now
    }
    return this.#seconds
  }

  /** Stops the clock, until training goes on. */
  pause(): void {
    this.#seconds = this.seconds
    this.#since = null
  }

  /**
   * Trains up to step `until`, which is measured and kept as the last one is: a later call, or another process from that
   * checkpoint, goes on from there. Why it ended before, or null.
   */
  async train(until = this.#parts.steps): Promise<Ending | null> {
    this.#since ??= performance.now()
    if (this.#parts.measuresUntrained && this.#curve.length === 0) {
      const ending = await this.#point(true)
      if (ending !== null) return ending
    }
    while (this.#step < until) {
      const ending = await this.#advance(until)
      if (ending !== null) return ending
      // Lets the process's heartbeat and messages out.
      await setImmediate()
    }
    return null
  }

  async #advance(until: number): Promise<Ending | null> {
    const { losses, measureEvery, checkpointEvery, pointDue } = this.#parts
    const values = await this.#parts.step(this.#step)
    const step = ++this.#step
    const wild = losses.find((loss) => !Number.isFinite(values[loss]))
    if (wild !== undefined) return this.#parts.diverged(wild, values[wild], step)
    for (const loss of losses) this.#sums[loss] += values[loss]
    this.#summed++
    const last = step === until
    const measured = last || step % measureEvery === 0
    const kept = this.#parts.save !== null && (last || step % checkpointEvery === 0)
    const unsound = measured || kept ? (this.#parts.examine?.(step) ?? null) : null
    if (unsound !== null) return unsound
    if (measured || pointDue(step, this.#summed)) {
      const ending = await this.#point(measured)
      if (ending !== null) return ending
    }
    if (kept) this.#save()
    return null
  }

  async #point(measured: boolean): Promise<Ending | null> {
    const losses: Record<string, number> = {}
    if (this.#summed > 0)
      for (const loss of this.#parts.losses) losses[loss] = this.#sums[loss] / this.#summed
    const due = { step: this.#step, losses, measured, curve: this.#curve }
    const { point, ending } = await this.#parts.point(due)
    if (point !== null) {
      this.#curve.push(point)
      this.#sums = this.#zeros()
      this.#summed = 0
    }
    return ending
  }

  #save(): void {
    const progress = { curve: this.#curve, sums: this.#sums, summed: this.#summed, seconds: this.seconds }
    this.#parts.save?.(this.#step, progress)
  }

  #zeros(): Record<Loss, number> {
    return Object.fromEntries(this.#parts.losses.map((loss) => [loss, 0])) as Record<Loss, number>
  }
}
