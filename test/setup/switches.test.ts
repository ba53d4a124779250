/** The table of environment variables is whole, and what the README and --help say of them. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root } from '../../main/setup/process.mjs'
import { SWITCHES, switchesSet, switchTable } from '../../main/setup/switches.mjs'
import { cli } from '../main/cli.ts'

const SOURCES = '{main,shared,renderer,test}/**/*.{ts,mjs,cjs,js,svelte,sh,py}'
const TABLE = path.normalize('main/setup/switches.mjs')
/** Names that this file makes up. */
const OWN = ['NORMFORGE_', 'NORMFORGE_KERNEL']

test('every variable that the code names is in the table, and every one of the table is used', () => {
  const used = new Map<string, string>()
  for (const file of globSync(SOURCES, { cwd: root }))
    if (file !== TABLE)
      for (const [name] of readFileSync(path.join(root, file), 'utf8').matchAll(/\bNORMFORGE_[A-Z\d_]*/g))
        if (!OWN.includes(name)) used.set(name, file)
  const known = SWITCHES.map(({ name }) => name)
  assert.deepEqual(
    [...used].filter(([name]) => !known.includes(name)),
    [],
  )
  assert.deepEqual(
    known.filter((name) => !used.has(name)),
    [],
  )
  assert.equal(new Set(known).size, known.length)
})

/** A Markdown table without what aligns its columns. */
const cells = (text: string): string[] =>
  text.split('\n').map((line) => line.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---'))

test('the README has the table; --help lists what users and the engine’s developers can set', async () => {
  const readme = cells(readFileSync(path.join(root, 'README.md'), 'utf8'))
  for (const line of cells(switchTable())) assert.ok(readme.includes(line), line)
  assert.equal(
    readme.filter((line) => line.startsWith('| `NORMFORGE_')).length,
    SWITCHES.filter(({ of }) => of !== 'tests').length,
  )
  const { out } = await cli(['--help'])
  for (const { name, does, of } of SWITCHES)
    if (of !== 'tests') assert.match(out, new RegExp(`^  ${name} .*${does.slice(0, 20)}`, 'm'))
})

test('the doctor says which are set, and those that nothing knows', async () => {
  assert.deepEqual(switchesSet({ PATH: '/', NORMFORGE_KERNELS: '0', NORMFORGE_KERNEL: '0' }), {
    set: ['NORMFORGE_KERNELS=0'],
    unknown: ['NORMFORGE_KERNEL'],
  })
  const { out } = await cli(['doctor'], { NORMFORGE_KERNEL: '0' })
  assert.match(out, /^! Environment +.*; not known: NORMFORGE_KERNEL \(--help lists them\)$/m)
})
