import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { evaluateCoco, MEASURES, type Truth } from '../../../main/engine/metrics/coco.ts'
import { countsText, encodeMask } from '../../../main/engine/metrics/mask.ts'
import { fnv } from '../../reference/portable.ts'
import { cocoCase } from './coco-cases.ts'

type Reference = { readonly masks: string; readonly box: number[]; readonly mask: number[] }
const REFERENCES = JSON.parse(
  readFileSync(new URL('../../reference/coco_eval.json', import.meta.url), 'utf8'),
) as Reference[]

test('box and mask AP and AR of 100 random cases equal pycocotools', () => {
  for (const [i, reference] of REFERENCES.entries()) {
    const { truths, detections } = cocoCase(i + 1)
    const masks = [...truths, ...detections].map(({ mask }) => countsText(mask!))
    assert.equal(fnv(masks.join('')), reference.masks, `case ${i + 1}: masks`)
    for (const kind of ['box', 'mask'] as const) {
      const summary = evaluateCoco(truths, detections, kind)
      MEASURES.forEach((measure, m) => {
        const got = summary[measure] ?? -1
        const wanted = reference[kind][m]!
        assert.ok(Math.abs(got - wanted) < 1e-6, `case ${i + 1}: ${kind} ${measure}: ${got}, not ${wanted}`)
      })
    }
  }
})

const square = (x: number, side: number): Pick<Truth, 'box' | 'mask' | 'area'> => ({
  box: [x, 0, side, side],
  area: side * side,
  mask: encodeMask(
    Array.from({ length: 400 }, (_, i) => Number(i < 20 * side && i % 20 >= x && i % 20 < x + side)),
    20,
    20,
  ),
})

test('one object found and one false detection of a higher score: precision one half', () => {
  const truths = [{ image: 1, category: 3, crowd: false, ...square(0, 10) }]
  const at = (x: number, score: number) => ({ image: 1, category: 3, score, ...square(x, 10) })
  for (const kind of ['box', 'mask'] as const) {
    const summary = evaluateCoco(truths, [at(0, 0.4), at(10, 0.9)], kind)
    assert.ok(Math.abs(summary.ap! - 0.5) < 1e-12)
    assert.equal(summary.ar1, 0)
    assert.equal(summary.ar100, 1)
    assert.equal(summary.apLarge, null)
  }
})

test('nothing to find gives no figure, nothing found gives zero', () => {
  assert.equal(evaluateCoco([], [], 'box').ap, null)
  assert.equal(evaluateCoco([{ image: 1, category: 1, crowd: false, ...square(0, 4) }], [], 'mask').ap, 0)
})

test('a missing mask is an error that names the image', () => {
  const truths = [{ image: 7, category: 1, crowd: false, box: [0, 0, 1, 1] as const, area: 1 }]
  assert.throws(() => evaluateCoco(truths, [], 'mask'), /image 7: needed a mask/)
})
