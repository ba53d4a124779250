/**
 * Ends a worker process when its parent has ended, in a thread of its own, since a task that hangs leaves no turn to
 * the main one. An orphan gets a new parent, except on Windows, where it keeps the number of one that is gone.
 */
import { workerData } from 'node:worker_threads'

const CHECK_MS = 1000
// Asked for by the main thread as its first act: by now this process may be an orphan.
const { parent } = workerData as { parent: number }

const orphaned = (): boolean => {
  if (process.ppid !== parent) return true
  try {
    process.kill(parent, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

setInterval(() => {
  if (orphaned()) process.kill(process.pid, 'SIGKILL')
}, CHECK_MS)
