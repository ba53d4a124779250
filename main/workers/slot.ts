import type { WorkerStatus } from '../../shared/contract.ts'
import type { Work } from './work.ts'
import type { Worker } from './worker.ts'

/** A place for one worker process at a time: what it works on, and what became of the processes before it. */
export class Slot {
  worker: Worker | null = null
  current: Work | null = null
  /** Work over which a process crashed in native code: this slot's next process, which traces its ops, tries it again. */
  retry: Work | null = null
  /** Whether the process traces its ops. */
  traced = false
  /** Processes that ended by themselves or were ended for going past a limit. */
  failures = 0
  /** Its last process failed, and no new one was needed since. */
  dead = false
  /** When it last had nothing to do, in milliseconds of `performance.now()`. */
  idleSince = performance.now()
  /** Whether it is beyond the count, for one question. */
  spare: boolean

  constructor({ spare }: { readonly spare: boolean }) {
    this.spare = spare
  }

  holds(work: Work): boolean {
    return this.current === work || this.retry === work
  }

  /** Takes its work from it; whoever asked for that is told by the caller. */
  release(): Work | null {
    const work = this.current ?? this.retry
    this.current = this.retry = null
    return work
  }

  /** Ends its process, if it has one, without counting that as a failure. */
  retire(): void {
    const worker = this.worker
    this.worker = null
    worker?.end('no longer needed')
  }

  status(i: number): WorkerStatus {
    const { worker, current, dead, failures } = this
    const news = worker?.news ?? null
    const about = current?.about
    return {
      worker: i,
      state: worker?.state ?? (dead ? 'dead' : 'idle'),
      search: about?.kind === 'candidate' ? about.search : null,
      candidate: about?.kind === 'candidate' ? about.number : null,
      progress: news?.kind === 'progress' ? news.progress : null,
      transfer:
        about?.kind === 'transfer'
          ? { ...about.transfer, step: news?.kind === 'transferring' ? news.progress.step : null }
          : null,
      seconds: worker?.seconds ?? 0,
      residentBytes: worker?.residentBytes ?? null,
      failures,
      notes: worker?.notes ?? [],
    }
  }
}
