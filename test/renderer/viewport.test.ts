import assert from 'node:assert/strict'
import { test } from 'node:test'
import { between, centred, clamp, pan, project, zoom } from '../../renderer/draw/viewport.ts'

const VIEW = { x0: 0, x1: 100, y0: 0, y1: 10 }
const SIZE = { width: 1000, height: 500 }
const LEAST = { width: 10, height: 1 }

test('data to pixels and back', () => {
  const to = project(VIEW, SIZE)
  assert.deepEqual([to.x(50), to.y(2)], [500, 100])
  assert.deepEqual([to.dataX(500), to.dataY(100)], [50, 2])
})

test('a drag moves the drawing with the pointer', () => {
  assert.deepEqual(pan(VIEW, SIZE, 100, -50), { x0: -10, x1: 90, y0: 1, y1: 11 })
})

test('zooming keeps the point under the pointer where it is', () => {
  const at = { x: 250, y: 400 }
  const before = project(VIEW, SIZE)
  const after = project(zoom(VIEW, SIZE, at, 3), SIZE)
  assert.ok(Math.abs(after.dataX(at.x) - before.dataX(at.x)) < 1e-9)
  assert.ok(Math.abs(after.dataY(at.y) - before.dataY(at.y)) < 1e-9)
  assert.ok(Math.abs(after.dataX(1000) - after.dataX(0) - 100 / 3) < 1e-9)
})

test('a window never leaves the drawing and is neither larger nor closer than allowed', () => {
  assert.deepEqual(clamp({ x0: -50, x1: 50, y0: 0, y1: 10 }, VIEW, LEAST), VIEW)
  assert.deepEqual(clamp({ x0: -500, x1: 500, y0: -5, y1: 50 }, VIEW, LEAST), VIEW)
  assert.deepEqual(clamp({ x0: 49, x1: 51, y0: 5, y1: 5.1 }, VIEW, LEAST), {
    x0: 45,
    x1: 55,
    y0: 4.55,
    y1: 5.55,
  })
})

test('a move passes through windows in between, and a window can be centred', () => {
  assert.deepEqual(between(VIEW, { x0: 10, x1: 20, y0: 1, y1: 2 }, 0.5), { x0: 5, x1: 60, y0: 0.5, y1: 6 })
  assert.deepEqual(centred(VIEW, 0, 0), { x0: -50, x1: 50, y0: -5, y1: 5 })
})
