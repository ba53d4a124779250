import { setTimeout as sleep } from 'node:timers/promises'
import type { TransferSummary } from '../../shared/transfer/contract.ts'
import { waitingText } from '../../shared/transfer/waiting.ts'
import { leaseHolder, TRANSFERS } from '../store/leases.ts'
import type { Pool } from '../workers/pool.ts'
import type { Workshop } from '../workshop.ts'
import { EXIT } from './errors.ts'
import { createProgress, leftText, type Step } from './progress.ts'
import { note, print } from './text.ts'
import { transferText } from './transfer-text.ts'

const PROGRESS_MS = 300

/**
 * Shows a promotion until it ends, whichever process does it, then its comparison. The first Ctrl-C pauses it, a second
 * one ends the program as it is. Returns the exit code.
 */
export const followTransfer = async (workshop: Workshop, id: string, json: boolean): Promise<number> => {
  const { db, pool } = workshop
  const transfers = workshop.transfers()
  let interrupted = false
  const isOver = ({ promotion: { state } }: TransferSummary): boolean =>
    state !== 'queued' && state !== 'running'
  const interrupt = (): void => {
    if (interrupted) process.exit(EXIT.interrupted)
    interrupted = true
    if (!isOver(transfers.get(id).summary)) transfers.pause(id)
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const progress = createProgress()
  for (;;) {
    const { summary } = transfers.get(id)
    progress.show(stepOf(summary, pool, leaseHolder(db, TRANSFERS)?.pid))
    if (isOver(summary)) break
    await sleep(PROGRESS_MS)
  }
  progress.end()
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)

  const detail = transfers.get(id)
  print(json ? JSON.stringify(detail) : transferText(detail))
  const { state, failure } = detail.summary.promotion
  if (failure !== null) note(`The transfer failed: ${failure}`)
  if (state !== 'done') note('To go on: the same command again')
  if (state === 'done') return EXIT.done
  return state === 'failed' ? EXIT.failure : EXIT.interrupted
}

/** Runs done, what the workers are at, and the time left. */
const stepOf = (
  { runs, progress, eta, waiting, comparison }: TransferSummary,
  pool: Pool,
  pid: number | undefined,
): Step => {
  const total = runs.queued + runs.running + runs.done + runs.failed
  const names = new Map(comparison.map(({ fingerprint, label }) => [fingerprint, label]))
  const under = pool.status().flatMap(({ transfer }) => {
    if (!transfer) return []
    const [, fingerprint, seed] = transfer.run.split('-')
    const name = names.get(fingerprint!)
    return name ? [`${name}, seed ${seed}: step ${transfer.step ?? 0} of ${transfer.steps}`] : []
  })
  const text = [
    `${runs.done} of ${total} runs`,
    ...(runs.failed > 0 ? [`${runs.failed} failed`] : []),
    ...(waiting ? [waitingText(waiting)] : []),
    ...(pid !== undefined && pid !== process.pid ? [`done by process ${pid}`] : under),
    ...(eta ? [leftText(eta.seconds)] : []),
  ].join(' | ')
  return { part: progress, text, stage: `${runs.done} ${runs.failed}` }
}
