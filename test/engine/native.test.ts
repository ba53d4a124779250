import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { has, root } from '../../main/setup/process.mjs'
import { marches } from '../processor.ts'
import { depthwiseCases, layerCases, type NativeCase } from './native/cases.ts'

const compiler = process.env.CXX ?? 'g++'
const folder = mkdtempSync(path.join(tmpdir(), 'normforge-native-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const inFolder = (name: string): string => path.join(folder, name)

const cases = [...layerCases(8), ...depthwiseCases()]
writeFileSync(inFolder('cases'), Buffer.concat(cases.map(({ bytes }) => bytes)))

const compile = (program: string, flags: readonly string[]): string | null => {
  const sources = [`-I${path.join(root, 'main/engine/native')}`, path.join(root, 'test/engine/native/run.cc')]
  const args = [
    '-std=c++17',
    '-fno-math-errno',
    '-fno-trapping-math',
    ...flags,
    ...sources,
    '-o',
    inFolder(program),
  ]
  const { status, stderr } = spawnSync(compiler, [...args, '-pthread'], { encoding: 'utf8' })
  return status === 0 ? null : stderr
}
/** What the program gives for all cases; a sanitizer's complaint, or a crash, fails the test. */
const run = (program: string, threads: number): Float32Array => {
  const { status, signal, stderr } = spawnSync(inFolder(program), [inFolder('cases'), inFolder('results')], {
    encoding: 'utf8',
    env: { ...process.env, TF_NUM_INTRAOP_THREADS: String(threads), UBSAN_OPTIONS: 'print_stacktrace=1' },
  })
  assert.ok(status === 0 && stderr === '', `${signal ?? `exit code ${status}`}\n${stderr.slice(0, 4000)}`)
  const bytes = readFileSync(inFolder('results'))
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)
/** The outputs of each case, one after another. */
const outputsOf = (
  results: Float32Array,
): { given: NativeCase; got: Float32Array; expected: Float64Array }[] => {
  let at = 0
  const outputs = cases.flatMap((given) =>
    given.expected.map((expected) => {
      const got = results.subarray(at, at + expected.length)
      at += expected.length
      return { given, got, expected }
    }),
  )
  assert.equal(at, results.length)
  return outputs
}
/** Largest deviation in parts of the largest number; what overflows in float32 is not compared. */
const deviation = (got: Float32Array, expected: ArrayLike<number>): number => {
  const wanted = Float64Array.from(expected)
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  if (!(largest < 1e12)) return 0
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(got[i]! - value) / largest), 0)
}

const noCompiler = has(compiler) ? false : `needs a C++ compiler (${compiler})`
const SANITIZERS = [
  {
    name: 'AddressSanitizer and UndefinedBehaviorSanitizer',
    flags: 'address,undefined',
    marches: marches.slice(-1),
  },
  // Races do not depend on the instruction set.
  { name: 'ThreadSanitizer', flags: 'thread', marches: marches.slice(-1) },
]
for (const { name, flags, marches } of SANITIZERS) {
  writeFileSync(inFolder('empty.cc'), 'int main() { return 0; }')
  const sanitize = [`-fsanitize=${flags}`, '-fno-sanitize-recover=all']
  const links = (): boolean =>
    spawnSync(compiler, [...sanitize, inFolder('empty.cc'), '-o', inFolder('empty')]).status === 0 &&
    spawnSync(inFolder('empty')).status === 0
  const skip = noCompiler || (links() ? false : `${compiler} has no runtime of ${name}`)
  for (const march of marches)
    test(`${name} finds nothing in the kernels for ${march}, on 1 and 3 threads`, { skip }, () => {
      const program = `${flags.replace(',', '-')}-${march}`
      assert.equal(compile(program, ['-O1', '-g', `-march=${march}`, ...sanitize]), null)
      for (const threads of [1, 3]) run(program, threads)
    })
}

test(
  'kernels for every instruction set agree with the programs’ plain meaning and with each other',
  {
    skip: noCompiler,
  },
  () => {
    let first: Float32Array | undefined
    for (const march of marches) {
      assert.equal(compile(march, ['-O3', `-march=${march}`]), null)
      const results = run(march, 1)
      assert.ok(bytesOf(run(march, 3)).equals(bytesOf(results)), `${march}: threads change the results`)
      first ??= results
      const others = outputsOf(first)
      for (const [i, { given, got, expected }] of outputsOf(results).entries()) {
        const off = { meaning: deviation(got, expected), others: deviation(got, others[i]!.got) }
        const { name, tolerance } = given
        assert.ok(tolerance === null || off.meaning < tolerance, `${march}, ${name}: off by ${off.meaning}`)
        assert.ok(off.others < 1e-5, `${march} and ${marches[0]}, ${name}: ${off.others} apart`)
      }
    }
  },
)
