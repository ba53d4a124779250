import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawBest, MARGIN, pointAt, type BestInput } from '../../renderer/draw/best.ts'
import { funnelRows } from '../../renderer/draw/funnel.ts'
import { sparkline } from '../../renderer/draw/sparkline.ts'

const size = { width: 800, height: 300 }
const trend = [
  { number: 0, seconds: 10, average: 0.4 },
  { number: 50, seconds: 90, average: 0.5 },
  { number: 100, seconds: 100, average: 0.6 },
]
const input: BestInput = {
  trend,
  baselines: [
    { name: 'BN-ReLU', average: 0.55 },
    { name: 'GN-ReLU', average: 0.549 },
    { name: 'LN-ReLU', average: 0.548 },
    { name: 'in training', average: null },
  ],
  scored: [
    { number: 50, average: 0.5 },
    { number: 60, average: 0.01 },
  ],
  along: 'candidates',
  upTo: 200,
}

test('the best curve rises where the average rose, and reaches the right edge', () => {
  const { points, path, right, bottom } = drawBest(input, size)
  assert.equal(right, size.width - MARGIN.right)
  assert.deepEqual(
    points.map(({ x }) => x),
    [MARGIN.left, MARGIN.left + (right - MARGIN.left) / 4, MARGIN.left + (right - MARGIN.left) / 2],
  )
  assert.ok(points[0]!.y > points[1]!.y && points[1]!.y > points[2]!.y, 'better is higher')
  assert.ok(points.every(({ y }) => y >= MARGIN.top && y <= bottom))
  assert.ok(path.endsWith(`H${right.toFixed(1)}`))
})

test('along time a point stands at its second', () => {
  const { points, right, dots } = drawBest({ ...input, along: 'time', upTo: 100 }, size)
  assert.equal(points[2]!.x, right)
  assert.equal(points[1]!.x, MARGIN.left + 0.9 * (right - MARGIN.left))
  assert.equal(dots.length, 0, 'single candidates have no time to stand at')
})

test('labels of close baselines keep apart, and only trained ones are drawn', () => {
  const { lines } = drawBest(input, size)
  assert.deepEqual(
    lines.map(({ name }) => name),
    ['BN-ReLU', 'GN-ReLU', 'LN-ReLU'],
  )
  for (const [i, line] of lines.entries())
    if (i > 0) assert.ok(line.labelY - lines[i - 1]!.labelY >= 15, `${line.name} meets the label above`)
})

test('a candidate far below the axis is counted and not dropped', () => {
  const { dots, below } = drawBest(input, size)
  assert.deepEqual(
    dots.map(({ number }) => number),
    [50],
  )
  assert.equal(below, 1)
})

test('a diverged baseline does not flatten the curve', () => {
  const baselines = [...input.baselines, { name: 'BN-Swish', average: 0 }]
  const [calm, spoilt] = [drawBest(input, size), drawBest({ ...input, baselines }, size)]
  const rise = ({ points }: typeof calm): number => points[0]!.y - points[2]!.y
  assert.ok(rise(spoilt) > 0.5 * rise(calm), `${rise(spoilt)} of ${rise(calm)} pixels are left`)
  const line = spoilt.lines.find(({ name }) => name === 'BN-Swish')
  assert.equal(line?.off, 'low')
})

test('without a score there is an empty curve and no NaN', () => {
  const drawn = drawBest({ ...input, trend: [], baselines: [], scored: [], upTo: 0 }, size)
  assert.equal(drawn.path, '')
  assert.ok([...drawn.x, ...drawn.y].every(({ at }) => Number.isFinite(at)))
})

test('the point under the pointer is the last one before it', () => {
  const drawing = drawBest(input, size)
  assert.equal(pointAt(drawing, MARGIN.left - 1), null)
  assert.equal(pointAt(drawing, drawing.points[1]!.x + 1)?.number, 50)
  assert.equal(pointAt(drawing, 5000)?.number, 100)
})

test('the funnel takes away from the right what each test ends, and the rest is what was scored', () => {
  const rows = funnelRows({
    generated: 100,
    duplicate: 20,
    sameFunction: 5,
    static: 50,
    quality: 4,
    stability: 1,
    failed: 0,
    pending: 5,
    scored: 20,
  })
  for (const [i, row] of rows.slice(1, -1).entries())
    assert.equal(row.to, i === 0 ? 1 : rows[i]!.from, `${row.kind} starts where the one before ended`)
  assert.equal(rows.at(-2)!.from, 0.2)
  assert.deepEqual(rows.at(-1), { kind: 'scored', count: 20, share: 0.2, from: 0, to: 0.2 })
})

test('an empty funnel has empty bars', () => {
  const none = {
    generated: 0,
    duplicate: 0,
    sameFunction: 0,
    static: 0,
    quality: 0,
    stability: 0,
    failed: 0,
    pending: 0,
  }
  for (const { from, to, share, kind } of funnelRows({ ...none, scored: 0 })) {
    assert.equal(to, from)
    if (kind !== 'generated') assert.equal(share, 0)
  }
})

test('a sparkline ends at its last average, above the baseline it beat', () => {
  const drawn = sparkline(trend, 0.55, 200, { width: 120, height: 30 })
  assert.ok(drawn.end!.y < drawn.baseline!)
  assert.ok(drawn.path.endsWith(`H${drawn.end!.x.toFixed(1)}`))
  assert.deepEqual(sparkline([], null, 0, { width: 120, height: 30 }), {
    path: '',
    end: null,
    baseline: null,
  })
})
