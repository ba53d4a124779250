import assert from 'node:assert/strict'
import { existsSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import type { Fact } from '../../main/setup/doctor.mjs'
import { freshClone, librariesFor, STAND_INS, type Run } from './clone.ts'

const facts = ({ stdout, code }: Run): Record<string, Fact> => {
  assert.equal(code, 0)
  return Object.fromEntries((JSON.parse(stdout) as Fact[]).map((fact) => [fact.label, fact]))
}

test('the doctor works before anything is installed, and installs nothing', async (t) => {
  const clone = freshClone(t)
  const found = facts(await clone.run(['doctor', '--json']))
  assert.equal(found.Node?.value, process.version)
  assert.match(found.Processor?.value ?? '', /, \d+ threads(, x86-64(-v[234])?)?$/)
  assert.equal(found.GPU?.value, 'no NVIDIA driver: the CPU is used')
  assert.deepEqual(
    [found.Packages, found['TensorFlow runtime']].map((fact) => [fact?.value, fact?.ok]),
    [
      ['not set up yet: "npm start" does', false],
      ['not set up yet: "npm start" does', false],
    ],
  )
  assert.deepEqual(found["Engine's kernels"], {
    label: "Engine's kernels",
    value: "not compiled: TensorFlow's ops are used, more slowly",
    ok: true,
  })
  assert.equal(found['Cache folder']?.value, clone.cache)
  assert.ok(found['Data folder'])
  assert.ok(!existsSync(path.join(clone.folder, 'node_modules')) && !existsSync(clone.cache))
  const text = await clone.run(['cli', 'doctor'])
  assert.match(text.stdout, /^! TensorFlow runtime {2}not set up yet/m)
})

test('the doctor names what is missing, with its cure, and the GPU with its memory', async (t) => {
  const clone = freshClone(t)
  clone.remove('g++')
  clone.provide('nvidia-smi', STAND_INS['nvidia-smi'])
  const found = facts(await clone.run(['doctor', '--json']))
  assert.deepEqual(found['C++ compiler'], {
    label: 'C++ compiler',
    value: 'missing: install one (Debian: apt-get install g++)',
    ok: false,
  })
  assert.equal(found.GPU?.value, 'Stand-in GPU, 81920 MiB')
  assert.match(found['GPU options']?.value ?? '', /^--mixed-precision; --xla, .*tested on processors only$/)
})

test('the doctor says where the runtime came from, and finds a byte that changed', async (t) => {
  const clone = freshClone(t)
  await clone.run(['bench'], { NORMFORGE_TENSORFLOW: librariesFor(clone) })
  const runtime = async (): Promise<Fact | undefined> =>
    facts(await clone.run(['doctor', '--json']))['TensorFlow runtime']
  assert.match(
    (await runtime())?.value ?? '',
    /^from the folder that the user names, in .*, checksums right$/,
  )
  const addon = path.join(
    clone.folder,
    'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node',
  )
  writeFileSync(readlinkSync(addon), 'nodda\n')
  const damaged = await runtime()
  assert.equal(damaged?.ok, false)
  assert.match(damaged?.value ?? '', /^damaged: .*tfjs_binding\.node; remove /)
})

test('the doctor says where the engine’s own kernels are, and that they can be done without', async (t) => {
  const clone = freshClone(t)
  await clone.run(['bench'], { NORMFORGE_TENSORFLOW: librariesFor(clone) })
  const kernels = async (env: NodeJS.ProcessEnv = {}): Promise<Fact | undefined> =>
    facts(await clone.run(['doctor', '--json'], env))["Engine's kernels"]
  const there = await kernels()
  assert.ok(there?.ok)
  assert.equal(path.dirname(there.value.replace('compiled, in ', '')), clone.cache)
  assert.equal(
    (await kernels({ NORMFORGE_KERNELS: '0' }))?.value,
    'compiled, but NORMFORGE_KERNELS=0 does without',
  )
})

test('kernels that another processor’s folder holds are left out, and compiled anew at the next set-up', async (t) => {
  const clone = freshClone(t)
  const env = { NORMFORGE_TENSORFLOW: librariesFor(clone) }
  await clone.run(['bench'], env)
  const link = path.join(
    clone.folder,
    'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/normforge_kernels.node',
  )
  const here = readlinkSync(link)
  const elsewhere = here.replace(/kernels-[0-9a-f]{12}/, 'kernels-0123456789ab')
  renameSync(path.dirname(here), path.dirname(elsewhere))
  rmSync(link)
  symlinkSync(elsewhere, link)
  const found = facts(await clone.run(['doctor', '--json']))
  assert.match(found["Engine's kernels"]?.value ?? '', /^compiled on another processor, so left out/)
  await clone.run(['bench'], env)
  assert.equal(readlinkSync(link), here)
  assert.ok(existsSync(here) && existsSync(elsewhere), 'the other processor may come back')
})
