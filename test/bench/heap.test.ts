import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { has } from '../../main/setup/process.mjs'
import { beyondAvx2, hasAvx2 } from '../processor.ts'
import { GROUPS } from './heap/cases.ts'
import { compileGuard, watch } from './heap/watch.ts'

const compiler = process.env.CXX ?? 'g++'
const skip =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'the guard is for Linux on x86-64'
    : has(compiler)
      ? false
      : `the guard needs a C++ compiler (${compiler})`
/** The set of most machines that this program is for, and the one with a known fault. */
const isa = beyondAvx2 ? 'AVX2' : 'own'

let folder = ''
let guard = ''
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'normforge-guard-'))
  if (!skip) guard = await compileGuard(folder)
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a line of C++ on `block`, 640 aligned bytes, and `small`, 100 of them, under the guard; what it says. */
const guarded = (line: string): string => {
  const [source, program, log] = ['line.cc', 'line', 'log'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ]
  const allocate = 'static_cast<volatile char*>(aligned_alloc(64, '
  const text = `#include <stdlib.h>
    int main() { auto block = ${allocate}640)), small = ${allocate}100)); ${line} free((void*)small); return 0; }`
  writeFileSync(source, text)
  const compiled = spawnSync(compiler, ['-w', source, '-o', program], { encoding: 'utf8' })
  assert.equal(compiled.status, 0, compiled.stderr)
  rmSync(log, { force: true })
  spawnSync(program, { env: { ...process.env, LD_PRELOAD: guard, GUARD_LOG: log } })
  return readFileSync(log, 'utf8').split('\n')[0]!
}

test('the guard stops at what is past a block, before it, and freed', { skip }, () => {
  assert.equal(guarded('block[640] = 1;'), 'guard: writes past the end, byte 640 of a block of 640')
  assert.equal(guarded('block[0] = block[640];'), 'guard: reads past the end, byte 640 of a block of 640')
  assert.equal(guarded('small[101] = 1;'), 'guard: was written to past its end, byte 101 of a block of 100')
  assert.equal(guarded('small[-1] = 1;'), 'guard: was written to before its start, byte -1 of a block of 100')
  assert.match(guarded('free((void*)block); block[0] = 1;'), /^guard: writes to freed memory/)
  assert.equal(guarded('block[639] = small[99];'), 'guard: 2 blocks guarded')
})

test(
  'the guard sees oneDNN’s strided 1×1 filter gradient write past its buffer',
  {
    skip: skip || (hasAvx2 ? false : 'needs a processor with AVX2'),
  },
  async () => {
    const { findings } = await watch(guard, 'control', { isa: 'AVX2', threads: 1 })
    assert.match(
      findings[0]?.what ?? 'nothing found',
      /^guard: writes past the end, byte 320 of a block of 320/,
    )
  },
)

for (const group of GROUPS)
  test(`no access past a tensor or buffer, the short way: ${group}`, { skip }, async () => {
    const { cases, blocks, findings } = await watch(guard, group, { isa, threads: 1, short: true })
    assert.deepEqual(findings, [])
    assert.ok(cases > 0 && blocks > 1000 * cases, `${blocks} blocks guarded in ${cases} cases`)
  })
