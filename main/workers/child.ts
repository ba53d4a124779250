/**
 * The worker process: `node child.ts <evaluator module> <its options as JSON>`, forked by the pool. Ends
 * when its parent does, whatever way the parent ended.
 */
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { diskSentence } from '../setup/disk.mjs'
import type { Evaluator, EvaluatorModule, EvaluatorOptions, FromWorker, ToWorker } from './protocol.ts'

const BEAT_MS = 1000

const send = (message: FromWorker): void =>
  void process.send?.(message, undefined, undefined, () => undefined)
const beat = (): void => send({ kind: 'beat', residentBytes: process.memoryUsage.rss() })
const textOf = (error: unknown): { message: string; trace: string } =>
  error instanceof Error
    ? { message: error.message, trace: error.stack ?? error.message }
    : { message: String(error), trace: String(error) }

const answer = async (evaluator: Evaluator, message: ToWorker): Promise<FromWorker> => {
  const { task } = message
  switch (message.kind) {
    case 'evaluate': {
      const result = await evaluator.evaluate(message.argument, (progress) =>
        send({ kind: 'progress', task, progress }),
      )
      return { kind: 'evaluated', task, result }
    }
    case 'transfer': {
      const result = await evaluator.transfer(message.argument, (progress) =>
        send({ kind: 'transferring', task, progress }),
      )
      return { kind: 'transferred', task, result }
    }
    case 'check':
      return { kind: 'checked', task, report: await evaluator.check(message.argument) }
    case 'checkTransfer':
      return { kind: 'checked', task, report: await evaluator.checkTransfer(message.argument) }
    case 'measure':
      return { kind: 'measured', task, stepsPerSecond: await evaluator.measure(message.argument) }
  }
}

const start = async (modulePath: string, options: EvaluatorOptions): Promise<void> => {
  const loaded: unknown = await import(pathToFileURL(modulePath).href)
  const evaluator = await (loaded as EvaluatorModule).createEvaluator(options)

  const handle = async (message: ToWorker): Promise<void> => {
    const { task } = message
    try {
      const told = await answer(evaluator, message)
      // The pool decides by what is held now whether this process goes on.
      beat()
      send(told)
    } catch (error) {
      // A disk that refuses (no place for temporary files, say) is never the layer's fault.
      const disk = diskSentence(error)
      if (disk !== null)
        return send({ kind: 'error', task, ...textOf(error), message: disk, environment: true })
      const environment = error instanceof Error && error.name === 'EnvironmentError'
      send({ kind: 'error', task, ...textOf(error), environment })
    }
  }
  let last = Promise.resolve()
  const receive = (message: ToWorker): void => {
    last = last.then(() => handle(message))
  }
  process.on('message', receive)
  send({ kind: 'ready', facts: evaluator.facts, notes: evaluator.notes ?? [] })
}

process.on('disconnect', () => process.exit(0))
const watchdog = new Worker(new URL('watchdog.ts', import.meta.url), { workerData: { parent: process.ppid } })
watchdog.on('error', (error: Error) => process.emitWarning(error))
watchdog.unref()
// Ctrl-C in a terminal, or the end of a service, reaches the whole group: the parent decides what becomes of its workers.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)
setInterval(beat, BEAT_MS)
start(process.argv[2]!, JSON.parse(process.argv[3]!) as EvaluatorOptions).catch((error: unknown) => {
  send({ kind: 'broken', ...textOf(error) })
  setTimeout(() => process.exit(1), 50)
})
