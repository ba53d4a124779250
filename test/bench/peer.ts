import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RuntimeOptions } from '../../main/engine/runtime.ts'
import type { EvaluationTask } from '../../shared/records.ts'
import type { Case } from './cases.ts'

/** What a contestant can be asked. */
export type Request = { readonly clock: Clock } & (
  | ({ readonly do: 'make'; readonly case: Case } & Make)
  | { readonly do: 'step'; readonly count: number }
  | { readonly do: 'evaluate'; readonly task: EvaluationTask; readonly case: object }
)
/** How a network is made: `eager` asks the engine to go without a recorder, the others PyTorch. */
export type Make = {
  readonly eager?: boolean
  readonly compile?: boolean
  readonly device?: 'cuda'
  readonly bfloat16?: boolean
}
/** What is measured: wall time, or the process's own processor time, which a busy machine disturbs less. */
export type Clock = 'wall' | 'cpu'

/** A contestant: a process that makes a network and trains it, one step or evaluation at a time. */
export type Peer<R = Request> = {
  readonly name: string
  ask(request: R): Promise<Answer>
  close(): void
}
export type Answer = { readonly seconds: number; readonly ms: readonly number[]; readonly peak: number }

export const FOLDER = path.join(path.dirname(fileURLToPath(import.meta.url)), 'peers')

/** A Python that has PyTorch (NORMFORGE_PYTHON, else python3), and what it has; null with the reason otherwise. */
export const findPyTorch = (): { python: string; version: string } | { missing: string } => {
  const python = process.env.NORMFORGE_PYTHON ?? 'python3'
  const found = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' })
  if (found.status === 0) return { python, version: found.stdout.trim() }
  return { missing: `${python} has no PyTorch (name one that has in NORMFORGE_PYTHON)` }
}

export const enginePeer = (
  name: string,
  threads: number,
  env: NodeJS.ProcessEnv = {},
  options: RuntimeOptions = {},
): Peer => {
  const told = JSON.stringify({ ...options, threads })
  return peer(name, process.execPath, [path.join(FOLDER, 'engine_peer.ts'), told], env)
}

export const torchPeer = (name: string, python: string, threads: number): Peer =>
  peer(name, python, [path.join(FOLDER, 'torch_peer.py')], {
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
  })

/** A process that answers each line of JSON with one. */
export const peer = <R = Request>(
  name: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Peer<R> => {
  const child: ChildProcess = spawn(program, args, {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr!.on('data', (chunk) => (errors = (errors + String(chunk)).slice(-2000)))
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  readline
    .createInterface({ input: child.stdout! })
    .on('line', (line) => waiting.shift()?.resolve(JSON.parse(line) as Answer))
  child.on('exit', (code) => {
    for (const { reject } of waiting.splice(0))
      reject(new Error(`${name} ended with ${code}: ${errors.trim()}`))
  })
  return {
    name,
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        child.stdin!.write(`${JSON.stringify(request)}\n`)
      }),
    close: () => child.kill(),
  }
}
