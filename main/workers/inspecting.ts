import type { PoolOptions } from './pool.ts'
import type { Spawn } from './process.ts'

/** Says where a debugger finds it, as Node does: "Debugger listening on ws://127.0.0.1:9229/…". */
const LISTENING = /^Debugger listening on .*$/m

/**
 * Starts one worker at a time under Node's inspector on a loopback port, and says where. Who stops at a breakpoint is not
 * taken to hang: no worker is ended for its time or its silence then.
 */
export const inspecting = (
  spawn: Spawn,
  port: number,
  say: (text: string) => void = (text) => void process.stderr.write(`${text}\n`),
): Pick<PoolOptions, 'spawn' | 'limits'> => {
  let inspected = false
  return {
    spawn: (file, args) => {
      if (inspected) return spawn(file, args)
      inspected = true
      const child = spawn(file, args, [`--inspect=127.0.0.1:${port}`])
      child.onWords?.((text) => {
        const [line] = LISTENING.exec(text) ?? []
        if (line !== undefined) say(`worker ${child.pid}: ${line}`)
      })
      child.onExit(() => (inspected = false))
      return child
    },
    limits: {
      startSeconds: Infinity,
      silenceSeconds: Infinity,
      taskSeconds: () => Infinity,
      transferSeconds: () => Infinity,
    },
  }
}
