import { utilityProcess, type UtilityProcess } from 'electron'
import type { FromWorker } from '../workers/protocol.ts'
import { tail, type Spawn } from '../workers/process.ts'
import { signalOfCode } from '../workers/signals.ts'

/** Worker processes under Electron: its utilityProcess, since the package's binary can't run as plain Node. */
export const spawnUtility: Spawn = (childFile, args) => {
  const child = utilityProcess.fork(childFile, [...args], {
    serviceName: 'NormForge worker',
    stdio: ['ignore', 'ignore', 'pipe'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const words = tail()
  child.stderr?.on('data', (chunk) => words.add(chunk))
  return {
    get pid() {
      return child.pid
    },
    send: (message) => child.postMessage(message),
    kill: () => kill(child),
    onMessage: (listener) => void child.on('message', (message: FromWorker) => listener(message)),
    onExit: (listener) =>
      void child.on('exit', (code) => {
        const signal = signalOfCode(code)
        listener(signal === null ? code : null, signal)
      }),
    lastWords: words.text,
    lastOp: words.op,
  }
}

// Electron's own kill asks politely, which a worker in the midst of native code doesn't hear.
const kill = (child: UtilityProcess): void => {
  if (child.pid === undefined) return void child.kill()
  try {
    process.kill(child.pid, 'SIGKILL')
  } catch (error) {
    // It has ended, and is about to say so.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
