import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { OP_TABLE, opTable } from '../main/engine/lowering/optable.ts'
import { ensurePage } from '../main/setup/page.ts'
import { root, runQuietly } from '../main/setup/process.mjs'
import { lineCheck } from './lines.ts'

export type Check = { readonly name: string; readonly ok: boolean }

const tool = (script: string, ...args: string[]) => [path.join('node_modules', script), ...args]
const TOOLS: Readonly<Record<string, string[]>> = {
  format: tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
  lint: tool('eslint/bin/eslint.js', '--max-warnings', '0', '.'),
  'types of shared': tool('typescript/bin/tsc', '-p', 'shared'),
  'types of main': tool('typescript/bin/tsc', '-p', 'main'),
  'types of test': tool('typescript/bin/tsc', '-p', 'test'),
  'types of renderer': tool(
    'svelte-check/bin/svelte-check',
    '--tsconfig',
    'renderer/tsconfig.json',
    '--fail-on-warnings',
  ),
}

const tell = (name: string, ok: boolean, output: string): Check => {
  console.log(`${ok ? '✔' : '✖'} ${name}${ok ? '' : `\n${output.trim()}\n`}`)
  return { name, ok }
}

/** The page that the tests open. A page that doesn't build fails the run, but doesn't keep the other tests from it. */
export const buildPage = async (): Promise<Check> => {
  const error = await ensurePage().then(
    () => '',
    (error: Error) => error.message,
  )
  return tell('page build', error === '', error)
}

/** Whether the kernels' table of ops is what the engine's says; `write` makes it so. */
const checkOpTable = (write: boolean): Check => {
  const table = opTable()
  if (write) writeFileSync(OP_TABLE, table)
  const stale = readFileSync(OP_TABLE, 'utf8') !== table
  return tell('op table of the kernels', !stale, `${OP_TABLE} is stale: npm run check -- --write`)
}

/** Every check, two at a time, whatever the others found; a failing one prints what its tool says. */
export const runChecks = async ({ write = false } = {}): Promise<Check[]> => {
  const checks: Check[] = []
  const waiting = Object.entries(TOOLS)
  const options = { cwd: root, env: { ...process.env, NO_COLOR: '1' } }
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, args] = next
      const { code, output } = await runQuietly(process.execPath, args, options)
      checks.push(tell(name, code === 0, output))
    }
  }
  await Promise.all([work(), work()])
  checks.push(checkOpTable(write))
  const lines = lineCheck()
  checks.push(tell('source lines', lines.ok, lines.text))
  if (lines.ok) console.log(lines.text)
  return checks
}
