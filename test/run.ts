/**
 * `npm test` and `npm run check`. Checks first (format, lint, strict types), then every test; neither hides the
 * other, and a summary like node:test's own is the last thing printed. `npm test -- store lineage` runs the test files
 * whose path contains one of the words, and no checks. Where oneDNN has more than AVX2 to choose from, the numeric tests
 * run once more with AVX2 alone, as on most desktops.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { root } from '../main/setup/process.mjs'
import { buildPage, runChecks } from './checks.ts'
import { numericFiles } from './numeric.ts'
import { beyondAvx2 } from './processor.ts'

/** A file that takes longer hangs. */
const FILE_MS = 8 * 60_000
const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/

const args = process.argv.slice(2)
const words = args.filter((arg) => !arg.startsWith('-'))
const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => words.length === 0 || words.some((word) => file.includes(path.normalize(word))))
  .sort()

/** Test files and what is set in their processes' environment; `label` stands before the names of their tests. */
type Pass = {
  readonly label: string
  readonly files: readonly string[]
  readonly environment: NodeJS.ProcessEnv
}
const numeric = numericFiles(files)
const passes: readonly Pass[] = [
  { label: '', files, environment: {} },
  ...(beyondAvx2 && process.env.ONEDNN_MAX_CPU_ISA === undefined && numeric.length > 0
    ? [{ label: 'AVX2 alone: ', files: numeric, environment: { ONEDNN_MAX_CPU_ISA: 'AVX2' } }]
    : []),
]

const runTests = async (): Promise<{ failed: boolean; skips: string[]; summary: string[] }> => {
  const skips: string[] = []
  const totals = new Map<string, number>()
  let failed = false
  // Test files run in processes of their own, which read this from the environment.
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --disable-warning=ExperimentalWarning`.trim()
  const report = new spec()
  report.on('data', (text) => process.stdout.write(String(text)))
  for (const { label, files, environment } of passes) {
    Object.assign(process.env, environment)
    const events = run({
      files: files.map((file) => path.join(root, file)),
      concurrency: Math.max(2, availableParallelism()),
      timeout: FILE_MS,
    })
    for await (const event of events) {
      if ('name' in event.data && event.data.nesting === 0) event.data.name = `${label}${event.data.name}`
      if (event.type === 'test:fail' && !event.data.todo) failed = true
      if (event.type === 'test:pass' && event.data.skip !== undefined)
        skips.push(
          `${event.data.name}: ${typeof event.data.skip === 'string' ? event.data.skip : 'no reason'}`,
        )
      // The reporter prints the totals before the failures; held back, and added up over the passes, they close the run.
      const total =
        event.type === 'test:diagnostic' && event.data.nesting === 0 ? SUMMARY.exec(event.data.message) : null
      if (total) totals.set(total[1]!, (totals.get(total[1]!) ?? 0) + Number(total[2]))
      else report.write(event)
    }
  }
  await new Promise((resolve) => report.on('end', resolve).end())
  return { failed, skips, summary: [...totals].map(([name, count]) => `${name} ${count}`) }
}

const checks = words.length === 0 ? await runChecks({ write: args.includes('--write') }) : []
if (!args.includes('--check')) checks.push(await buildPage())
if (args.includes('--check')) {
  process.exitCode = checks.every(({ ok }) => ok) ? 0 : 1
} else if (files.length === 0) {
  console.error(`no test file's path contains ${words.join(' or ')}`)
  process.exitCode = 1
} else {
  const { failed, skips, summary } = await runTests()
  if (skips.length > 0)
    console.log(`\nskipped, ${skips.length}:\n${skips.map((skip) => `  ${skip}`).join('\n')}`)
  for (const { name, ok } of checks) if (!ok) console.log(`check failed: ${name} (see above)`)
  console.log(`\n${summary.map((line) => `ℹ ${line}`).join('\n')}`)
  process.exitCode = failed || checks.some(({ ok }) => !ok) ? 1 : 0
}
