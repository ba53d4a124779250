import { utilityProcess } from 'electron'
import type { FromWorker } from '../workers/protocol.ts'
import { tail, type Spawn } from '../workers/process.ts'

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
    // Electron's own kill asks politely, which a worker in the midst of native code doesn't hear.
    kill: () => void (child.pid === undefined ? child.kill() : process.kill(child.pid, 'SIGKILL')),
    onMessage: (listener) => void child.on('message', (message: FromWorker) => listener(message)),
    onExit: (listener) => void child.on('exit', (code) => listener(code, null)),
    lastWords: words.text,
  }
}
