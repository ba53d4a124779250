/** Runs cases in child processes under the guard (guard.cc) and says what stopped them. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireCompiler } from '../../../main/setup/addon.ts'
import { runQuietly, SetupError } from '../../../main/setup/process.mjs'
import type { InstructionSet } from '../../processor.ts'
import type { Group } from './cases.ts'
import type { Trace } from './child.ts'

const HERE = path.dirname(fileURLToPath(import.meta.url))
/** Cases of one process: freed blocks keep their addresses, so that a process can't go on forever. */
const MOST: Readonly<Record<Group, number>> = { convolutions: 300, networks: 10, tasks: 4 }

export type Finding = {
  readonly isa: InstructionSet
  readonly threads: number
  readonly name: string
  readonly op: string
  /** What the guard said, or the error; then where it was. */
  readonly what: string
  readonly backtrace: readonly string[]
}
export type Watched = {
  readonly cases: number
  readonly blocks: number
  readonly findings: readonly Finding[]
}

/** What the guard says where a program ended by itself. */
const COUNT = /^guard: (\d+) blocks guarded/

/** Compiles the guard into `folder`. */
export const compileGuard = async (folder: string): Promise<string> => {
  const compiler = requireCompiler()
  const library = path.join(folder, 'guard.so')
  const flags = ['-O1', '-g', '-std=c++17', '-shared', '-fPIC']
  const { code, output } = await runQuietly(compiler, [
    ...flags,
    path.join(HERE, 'guard.cc'),
    '-o',
    library,
    '-ldl',
  ])
  if (code !== 0) throw new SetupError(`the guard doesn't compile with ${compiler}: ${output.trim()}`)
  return library
}

/** A program's environment with oneDNN kept to an instruction set. */
export const environmentFor = (isa: InstructionSet): NodeJS.ProcessEnv => {
  const { ONEDNN_MAX_CPU_ISA: _, ...rest } = process.env
  return isa === 'own' ? rest : { ...rest, ONEDNN_MAX_CPU_ISA: isa }
}

type Ended = { readonly ok: boolean; readonly how: string; readonly errors: string }

const run = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', path.join(HERE, 'child.ts'), ...args],
      { env, stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)))
    child.on('exit', (code, signal) =>
      resolve({ ok: code === 0, how: signal ?? `exit code ${code}`, errors: errors.trim() }),
    )
  })

/** Runs a group's cases (`control`: the known fault alone), going on after each that ends its process. */
export const watch = async (
  guard: string,
  group: Group | 'control',
  {
    isa,
    threads,
    short = false,
  }: { readonly isa: InstructionSet; readonly threads: number; readonly short?: boolean },
  report: (done: number, total: number) => void = () => undefined,
): Promise<Watched> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-heap-'))
  const [traceFile, log] = [path.join(folder, 'trace'), path.join(folder, 'log')]
  const findings: Finding[] = []
  let [trace, blocks] = [{ next: 0, total: 1, name: 'the known fault', op: '' } as Trace, 0]
  try {
    while (trace.next < trace.total) {
      for (const file of [log, traceFile]) fs.rmSync(file, { force: true })
      const most = group === 'control' ? 1 : MOST[group]
      const args = [group, short ? 'short' : 'whole', trace.next, most, traceFile, threads].map(String)
      const env = { ...environmentFor(isa), TF_CPP_MIN_LOG_LEVEL: '3', LD_PRELOAD: guard, GUARD_LOG: log }
      const { ok, how, errors } = await run(args, env)
      const text = fs.existsSync(traceFile) ? fs.readFileSync(traceFile, 'utf8').trim() : ''
      if (text !== '') trace = JSON.parse(text) as Trace
      const [said = '', ...backtrace] = fs.existsSync(log)
        ? fs.readFileSync(log, 'utf8').trim().split('\n')
        : []
      if (ok) blocks += Number(COUNT.exec(said)?.[1] ?? 0)
      else
        findings.push({
          isa,
          threads,
          name: trace.name,
          op: trace.op,
          what: said !== '' && !COUNT.test(said) ? said : `${how}: ${errors}`,
          backtrace,
        })
      if (group === 'control' || (!ok && text === '')) break
      report(trace.next, trace.total)
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  return { cases: trace.next, blocks, findings }
}
