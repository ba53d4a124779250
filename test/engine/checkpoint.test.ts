/** Attacks on what is read from checkpoints: forged headers under a right digest, torn files, and chance. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { readCheckpoint, writeTensors } from '../../main/engine/checkpoint.ts'
import { identityOf, markOf, readTraining, stepReached } from '../../main/engine/kept.ts'
import { checkTransfer } from '../../main/engine/tasks/index.ts'
import { lentBackbone } from '../../main/engine/tasks/segmentation/lent.ts'
import { architectureOf } from '../../shared/architectures/index.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import type { EvaluationTask } from '../../shared/records.ts'
import { transferPreset, type SegmentationConfig } from '../../shared/transfer.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-checkpoints-'))
after(() => fs.rmSync(root, { recursive: true, force: true }))
const at = (name: string): string => path.join(root, name)

const { graph } = knownLayer('EvoNorm-B0')
const task: EvaluationTask = {
  purpose: 'score',
  graph,
  seed: 1,
  data: PRESETS.demo.config.data,
  architectures: [{ name: 'resnet', width: 0.25, depth: 0.34 }],
  training: PRESETS.demo.config.training,
  rejection: null,
}
const network = { width: 0.25, depth: 0.34, stride: 2 } as const
const stem = 9 * 3 * architectureOf(task.architectures[0]!).stem
const training = {
  layer: markOf(graph),
  of: identityOf(task),
  names: ['backbone/weights/0', 'heads/weights/0'],
  curve: [{ step: 1, loss: 2, accuracy: null }],
  accuracy: 0.5,
  sums: { loss: 1 },
  summed: 1,
  seconds: 1,
}
const header = { step: 1, state: training, sizes: [stem, 2] }
const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer)
const BODY = floats(...new Array<number>(stem).fill(0.5), 1, 2)

/** A file with any header, that a digest says is whole. */
const forged = (text: unknown, body = BODY, length?: number): string => {
  const json = Buffer.from(typeof text === 'string' ? text : JSON.stringify(text))
  const size = Buffer.alloc(4)
  size.writeUInt32LE(length ?? json.length)
  const whole = Buffer.concat([Buffer.from('NormForge checkpoint 1\n'), size, json, body])
  fs.writeFileSync(at('forged.bin'), Buffer.concat([whole, createHash('sha256').update(whole).digest()]))
  return at('forged.bin')
}
const READERS: Readonly<Record<string, (file: string) => unknown>> = {
  checkpoint: (file) => readTraining(file, task),
  header: (file) => stepReached(file, task),
  backbone: (file) => lentBackbone(file, graph, network),
}

/** What a reader says; fails unless it is one sentence that a user can read. */
const said = (read: () => unknown): string | null => {
  try {
    read()
    return null
  } catch (error) {
    assert.ok(error instanceof Error && ['Error', 'EnvironmentError'].includes(error.name), String(error))
    assert.match(error.message, /^(checkpoint|backbone): \S*\.bin|is of another training: /)
    assert.ok(error.message.length < 2000 && !error.message.includes('\n'), error.message)
    return error.message
  }
}

test('what is written is read back, bit for bit', () => {
  const tensors = [Float32Array.from([1, -0, 1e-40]), new Float32Array(0)]
  writeTensors(at('own.bin'), { step: 7, state: { names: ['a', 'b'] }, tensors })
  const format = { who: 'test', state: z.object({ names: z.array(z.string()) }) }
  assert.deepEqual(readCheckpoint(at('own.bin'), format), { step: 7, state: { names: ['a', 'b'] }, tensors })
  assert.equal(readTraining(forged(header), task)!.state.names.length, 2)
  assert.equal(lentBackbone(forged(header), graph, network).size, 1)
})

test('a training kept by version 0.1 is read, its sum under the name of the loss', () => {
  const { sums, summed, ...rest } = training
  const older = { ...header, state: { ...rest, sum: sums.loss, count: summed } }
  assert.deepEqual(readTraining(forged(older), task)!.state, training)
})

test('each field of a forged header is checked before anything is made from it', () => {
  const inState = (change: object) => ({ ...header, state: { ...training, ...change } })
  const inOf = (change: object) => inState({ of: { ...training.of, ...change } })
  const forgeries: readonly (readonly [unknown, RegExp])[] = [
    ['', /no JSON/],
    ['{', /no JSON/],
    ['null', /a header with/],
    ['[]', /a header with/],
    ['['.repeat(100_000), /no JSON/],
    ['{"__proto__":{"step":1}}', /a header with step/],
    [{ ...header, step: -1 }, /step/],
    [{ ...header, step: 2 ** 60 }, /step/],
    [{ ...header, sizes: null }, /sizes/],
    [{ ...header, sizes: [stem, -2] }, /sizes\.1/],
    [{ ...header, sizes: [stem, 0.5] }, /sizes\.1/],
    [{ ...header, sizes: ['x'] }, /sizes\.0/],
    [{ ...header, sizes: [2 ** 52, 2] }, /needed \d+ bytes, as its header says/],
    [{ ...header, sizes: [stem + 4, -2] }, /sizes\.1/],
    [{ ...header, sizes: new Array<number>(200_000).fill(0) }, /sizes/],
    [{ ...header, sizes: [stem + 2] }, /2 names of 1 tensors/],
    [{ ...header, state: null }, /state/],
    [{ ...header, state: 'x' }, /state/],
    [inState({ layer: null }), /state\.layer/],
    [inState({ layer: { formula: 7, fingerprint: 'x' } }), /state\.layer\.formula/],
    [inState({ names: 'backbone/weights/0' }), /state\.names/],
    [inState({ names: [1, 2] }), /state\.names\.0/],
    [inState({ names: ['backbone/weights/0', 'backbone/weights/0'] }), /a name of its own/],
    [inOf({ architecture: { name: '__proto__', width: 1, depth: 1 } }), /state\.of\.architecture\.name/],
    [inOf({ architecture: { name: 'resnet', width: 1, depth: 1e9 } }), /state\.of\.architecture\.depth/],
    [inOf({ architecture: null }), /state\.of\.architecture/],
  ]
  for (const [text, message] of forgeries)
    for (const [name, read] of Object.entries(READERS))
      assert.match(
        said(() => read(forged(text))) ?? `${name} read it`,
        message,
        JSON.stringify(text).slice(0, 200),
      )
  const ofTrainings: readonly (readonly [unknown, RegExp])[] = [
    [inState({ curve: [{ step: 'x' }] }), /state\.curve\.0\.step/],
    [inState({ accuracy: 7 }), /state\.accuracy/],
    [inState({ sums: null }), /state\.sums/],
    [inState({ sums: {} }), /state\.sums\.loss/],
    [inState({ summed: -1 }), /state\.summed/],
    [inOf({ seed: 2 }), /another training: seed: needed 1, got 2/],
    [inOf({ data: { kind: 'x' } }), /state\.of\.data/],
    [{ ...header, step: 1e15 }, /needed a step up to \d+, got 1000000000000000/],
  ]
  for (const [text, message] of ofTrainings)
    for (const read of [READERS['checkpoint']!, READERS['header']!])
      assert.match(said(() => read(forged(text))) ?? 'read it', message)
  for (const length of [0, 1, 2 ** 31, 2 ** 32 - 1])
    for (const read of Object.values(READERS))
      assert.match(said(() => read(forged(header, BODY, length))) ?? 'read it', /needed a/)
})

test('torn, longer, foreign and damaged files are no checkpoints; nor is a backbone with a NaN', () => {
  const whole = fs.readFileSync(forged(header))
  const backbone = (bytes: Buffer): string | null => {
    fs.writeFileSync(at('torn.bin'), bytes)
    return said(() => lentBackbone(at('torn.bin'), graph, network))
  }
  for (const length of [0, 1, 23, 27, 60, 100, whole.length - 32, whole.length - 1])
    assert.match(backbone(whole.subarray(0, length)) ?? 'read it', /needed a|needed \d+ bytes/)
  assert.match(
    backbone(Buffer.concat([whole, Buffer.from('x')])) ?? 'read it',
    /needed \d+ bytes, as its header/,
  )
  const flipped = Buffer.from(whole)
  flipped[whole.length - 40]! ^= 1
  assert.match(backbone(flipped) ?? 'read it', /needed a whole checkpoint, got one that is damaged/)
  for (const value of [NaN, Infinity, -Infinity]) {
    const body = Buffer.concat([floats(value), BODY.subarray(4)])
    assert.match(
      said(() => lentBackbone(forged(header, body), graph, network)) ?? 'read it',
      /needed finite weights, got backbone\/weights\/0 with some that are not/,
    )
  }
})

test('a backbone is asked for by its file: a pipe, a device, an endless file are refused at once', async () => {
  const preset = transferPreset('segmentation', 'demo') as SegmentationConfig
  const layers = [{ label: 'mine', graph }]
  const check = async (backbone: string): Promise<string | null> => {
    const config = { ...preset, network: { ...preset.network, ...network, backbone } }
    try {
      await checkTransfer({ config, layers })
      return null
    } catch (error) {
      return (error as Error).message
    }
  }
  execFileSync('mkfifo', [at('pipe.bin')])
  fs.writeFileSync(at('endless.bin'), '')
  fs.truncateSync(at('endless.bin'), 2 ** 40)
  fs.symlinkSync('loop.bin', at('loop.bin'))
  assert.equal(await check(at('pipe.bin')), `mine: backbone: ${at('pipe.bin')}: needed a file, got a pipe`)
  assert.equal(await check('/dev/zero'), 'mine: backbone: /dev/zero: needed a file, got a device')
  assert.match((await check(at('endless.bin')))!, /needed at most 4,096 MiB, got 1,048,576 MiB/)
  assert.match((await check(at('loop.bin')))!, /there is no file/)
  // Of a folder, what is no file is passed over.
  fs.mkdirSync(at('layers'))
  execFileSync('mkfifo', [path.join(at('layers'), 'a.bin')])
  fs.writeFileSync(path.join(at('layers'), 'b.bin'), 'NormForge checkpoint 1\n')
  fs.symlinkSync('/dev/zero', path.join(at('layers'), 'c.bin'))
  assert.match((await check(at('layers')))!, /needed a file trained with .*, got none/)
  fs.copyFileSync(forged(header), path.join(at('layers'), 'd.bin'))
  assert.equal(await check(at('layers')), null)
})

test('a checkpoint is never written over what is no file, and leaves nothing where it can’t be', () => {
  const write = (file: string) => writeTensors(file, { step: 1, state: null, tensors: [new Float32Array(9)] })
  for (const [file, expected] of [
    ['/dev/full', { message: 'checkpoint: /dev/full: needed a file, got a device' }],
    [root, { message: `checkpoint: ${root}: needed a file, got a folder` }],
    [at('none/x.bin'), { code: 'ENOENT' }],
    ['/proc/x.bin', { code: 'ENOENT' }],
  ] as const)
    assert.throws(() => write(file), expected)
  assert.ok(fs.statSync('/dev/full').isCharacterDevice())
  assert.deepEqual(
    [...fs.readdirSync('/dev'), ...fs.readdirSync(root)].filter((name) => name.endsWith('.tmp')),
    [],
  )
  fs.writeFileSync(at('target.bin'), 'old')
  fs.symlinkSync(at('target.bin'), at('link.bin'))
  write(at('link.bin'))
  assert.ok(fs.lstatSync(at('link.bin')).isSymbolicLink())
  assert.ok(fs.statSync(at('target.bin')).size > 60)
})

test('four hundred mutations of a checkpoint, under a right digest and without, give a sentence or a checkpoint', () => {
  const random = createRandom('mutated checkpoints', 1)
  const json = JSON.stringify(header)
  const whole = fs.readFileSync(forged(header))
  let refused = 0
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(i % 2 === 0 ? json : whole)
    for (let flips = 1 + random.below(3); flips > 0; flips--)
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
    const cut = random.next() < 0.3 ? bytes.subarray(0, random.below(bytes.length)) : bytes
    const file = i % 2 === 0 ? forged(cut.toString()) : at('mutated.bin')
    if (i % 2 === 1) fs.writeFileSync(file, cut)
    for (const read of Object.values(READERS)) if (said(() => read(file)) !== null) refused++
  }
  assert.ok(refused > 800, `only ${refused} of 1200 were refused`)
})
