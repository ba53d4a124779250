/**
 * `npm run bench -- heap`: looks for accesses past the ends of TensorFlow's and oneDNN's tensors and buffers, which corrupt
 * the heap on some processors and are not noticed on others. Every convolution of the catalog's kinds and every network
 * of every task runs in processes whose allocator stops at the first one (heap/guard.cc), with oneDNN kept to each
 * instruction set in turn. First a known fault is met, to show that one would be seen. Linux on x86-64.
 *
 *   --isa SET         SSE41, AVX2 or own (may be given again; default all that differ here)
 *   --group GROUP     convolutions, networks or tasks (may be given again; default all)
 *   --threads N       threads of TensorFlow (may be given again; default 1 and 2)
 *   --short           the few cases that npm test runs
 *   --json            the findings as JSON
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hasAvx2, instructionSets, type InstructionSet } from '../processor.ts'
import { GROUPS, type Group } from './heap/cases.ts'
import { compileGuard, watch, type Finding } from './heap/watch.ts'

export const benchHeap = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      isa: { type: 'string', multiple: true, default: [...instructionSets] },
      group: { type: 'string', multiple: true, default: [...GROUPS] },
      threads: { type: 'string', multiple: true, default: ['1', '2'] },
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const isas = chosen('isa', values.isa, ['SSE41', 'AVX2', 'own'] as const)
  const groups = chosen('group', values.group, GROUPS)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-guard-'))
  const findings: Finding[] = []
  try {
    const guard = await compileGuard(folder)
    const known = hasAvx2 ? await watch(guard, 'control', { isa: 'AVX2', threads: 1 }) : null
    const seen =
      known === null ? 'needs AVX2' : (known.findings[0]?.what ?? 'NOT SEEN; what follows means nothing')
    console.error(`the known fault: ${seen}`)
    const jobs = isas.flatMap((isa) =>
      values.threads.flatMap((threads) => groups.map((group) => ({ isa, threads: Number(threads), group }))),
    )
    const work = async (): Promise<void> => {
      for (let job = jobs.shift(); job; job = jobs.shift())
        findings.push(...(await examine(guard, job, values.short)))
    }
    await Promise.all([work(), work()])
    if (known?.findings.length === 0 || findings.length > 0) process.exitCode = 1
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  if (values.json) console.log(JSON.stringify(findings, null, 2))
  else console.log(findings.length === 0 ? 'nothing found' : findings.map(describe).join('\n'))
}

type Job = { readonly isa: InstructionSet; readonly threads: number; readonly group: Group }

const examine = async (
  guard: string,
  { isa, threads, group }: Job,
  short: boolean,
): Promise<readonly Finding[]> => {
  const started = performance.now()
  const { cases, blocks, findings } = await watch(guard, group, { isa, threads, short })
  const minutes = ((performance.now() - started) / 60_000).toFixed(1)
  console.error(
    `${isa.padEnd(6)} ${threads} thread${threads > 1 ? 's' : ' '} ${group.padEnd(13)} ${String(cases).padStart(5)} cases, ` +
      `${blocks} blocks, ${findings.length} found, ${minutes} min`,
  )
  return findings
}

const describe = ({ isa, threads, name, op, what, backtrace }: Finding): string =>
  [
    `${isa}, ${threads} threads: ${op}`,
    `  in ${name}`,
    `  ${what}`,
    ...backtrace.slice(0, 16).map((line) => `    ${line}`),
  ].join('\n')

const chosen = <T extends string>(option: string, given: readonly string[], names: readonly T[]): T[] =>
  given.map((name) => {
    const found = names.find((other) => other === name)
    if (!found) throw new Error(`bench heap: --${option} needs one of ${names.join(', ')}, got "${name}"`)
    return found
  })
