import assert from 'node:assert/strict'
import { test } from 'node:test'
import { levelOf, linesOf, processorKey } from '../../main/setup/processor.mjs'

/** /proc/cpuinfo of a machine with two processors, as Linux writes it. */
const cpuinfo = (flags: string, { mhz = '2596.120', model = 'AMD EPYC' } = {}): string =>
  [0, 1]
    .map(
      (n) =>
        `processor\t: ${n}\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: ${model}\n` +
        `cpu MHz\t\t: ${mhz}\napicid\t\t: ${n}\nfpu\t\t: yes\nflags\t\t: ${flags}\nbugs\t\t: spectre_v${n}\n\n`,
    )
    .join('')

const V1 = 'fpu sse sse2'
const V2 = `${V1} cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2`
const V3 = `${V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave`
const V4 = `${V3} avx512f avx512bw avx512cd avx512dq avx512vl`

test('processors of one name with other instruction sets have other keys; clock and number do not count', () => {
  assert.notEqual(processorKey(cpuinfo(V3)), processorKey(cpuinfo(V4)))
  assert.notEqual(processorKey(cpuinfo(V3)), processorKey(cpuinfo(V3, { model: 'Another' })))
  assert.equal(processorKey(cpuinfo(V3)), processorKey(cpuinfo(V3, { mhz: '800.000' })))
  assert.equal(linesOf(cpuinfo(V3)).length, 5, 'one processor’s')
})

test('an ARM processor is told by its features; a system without /proc/cpuinfo by its model’s name', () => {
  const arm = (features: string): string => `processor\t: 0\nFeatures\t: ${features}\nCPU part\t: 0xd0c\n`
  assert.notEqual(processorKey(arm('fp asimd')), processorKey(arm('fp asimd sve')))
  assert.equal(levelOf(arm('fp asimd')), null)
  assert.match(processorKey(''), /^[0-9a-f]{12}$/)
})

test('the level is the highest whose instructions are all there', () => {
  for (const [flags, level] of [
    [V1, 'x86-64'],
    [V2, 'x86-64-v2'],
    [V3, 'x86-64-v3'],
    [V4, 'x86-64-v4'],
    [V4.replace(' fma', ''), 'x86-64-v2'],
    [V4.replace(' avx512vl', ''), 'x86-64-v3'],
  ] as const)
    assert.equal(levelOf(cpuinfo(flags)), level)
})

test('this machine has the same key each time', () => {
  assert.equal(processorKey(), processorKey())
})
