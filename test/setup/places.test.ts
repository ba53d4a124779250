import assert from 'node:assert/strict'
import { test } from 'node:test'
import { windowObstacle } from '../../main/setup/places.mjs'

test(
  'without a display there is no window, and Electron keeps its sandbox rather than run as root',
  { skip: process.platform === 'linux' ? false : 'only Linux runs without a display' },
  (t) => {
    const { DISPLAY, WAYLAND_DISPLAY } = process.env
    t.after(() =>
      Object.assign(process.env, {
        ...(DISPLAY && { DISPLAY }),
        ...(WAYLAND_DISPLAY && { WAYLAND_DISPLAY }),
      }),
    )
    delete process.env.DISPLAY
    delete process.env.WAYLAND_DISPLAY
    assert.equal(windowObstacle(), 'there is no display')
    process.env.DISPLAY = ':0'
    assert.equal(windowObstacle(), process.getuid?.() === 0 ? "Electron's sandbox doesn't run as root" : null)
    delete process.env.DISPLAY
  },
)
