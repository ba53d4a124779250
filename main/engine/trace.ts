/**
 * Tracing: each op is written to stderr when it starts, so that whoever started this process can tell which one it died
 * of (main/workers/signals.ts reads it).
 */
import fs from 'node:fs'
import type { Binding } from './runtime.ts'

const STDERR = 2
/** How long a full pipe is left alone before it is tried again. */
const WAIT_MS = 1

/** Makes TensorFlow's executor, which runs recorded steps, write its ops. Read once, when TensorFlow loads. */
export const traceExecutor = (): void => {
  Object.assign(process.env, { TF_CPP_MIN_LOG_LEVEL: '0', TF_CPP_VMODULE: 'executor=1' })
}

/** Makes a binding write the ops that it runs eagerly, as TensorFlow's executor does. */
export const traceBinding = (binding: Pick<Binding, 'executeOp'>): void => {
  const { executeOp } = binding
  binding.executeOp = (name, ...rest) => {
    writeOut(`{{node eager}} = ${name}[]\n`)
    return executeOp(name, ...rest)
  }
}

/** Writes all of it before it returns, however slowly it is read: Node makes the pipe one that refuses when it is full. */
const writeOut = (text: string): void => {
  let left = Buffer.from(text)
  while (left.length > 0)
    try {
      left = left.subarray(fs.writeSync(STDERR, left))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS)
    }
}
