/** The scene on a canvas, for more marks than a page of elements can move at 60 frames a second. */
import { MOST_CURVES, traceLink } from '../../draw/links.ts'
import type { LineageLayout } from '../../draw/lineage.ts'
import { FILLED, traceMark } from '../../draw/marks.ts'
import {
  BAR_WIDTH,
  CELL,
  drawnRadius,
  gridOf,
  ringWidth,
  type Scene,
  type SceneMark,
} from '../../draw/scene.ts'
import type { Palette } from './palette.ts'

const BAR_HEIGHT = 15
/** Below this radius a square looks the same as a circle and is drawn many times faster. */
const SMALL = 2.6
export const FADED = 0.14
export const LINK_ALPHA = { plain: 0.42, faded: 0.14, path: 1 }

export const paint = (
  context: CanvasRenderingContext2D,
  scene: Scene,
  layout: LineageLayout,
  palette: Palette,
): void => {
  const { plot } = scene
  context.beginPath()
  for (const { x0, y0, x1, y1 } of gridOf(scene)) {
    context.moveTo(x0, y0)
    context.lineTo(x1, y1)
  }
  context.strokeStyle = palette.line
  context.lineWidth = 1
  context.stroke()
  context.save()
  context.beginPath()
  context.rect(plot.x - 6, plot.y - 6, plot.width + 12, plot.height + 12)
  context.clip()
  for (const { x, y, share, step } of scene.cells) {
    context.globalAlpha = 0.25 + 0.75 * share
    context.fillStyle = palette.ramp[step]!
    context.fillRect(x, y, CELL, CELL)
  }
  context.globalAlpha = 1
  paintLinks(context, scene, layout, palette)
  paintMarks(context, scene.marks, palette)
  context.restore()
  for (const lane of scene.lanes) {
    context.fillStyle = palette.kinds[lane.kind]
    context.globalAlpha = 0.75
    for (const { x, share } of lane.bars) {
      const height = 2 + (BAR_HEIGHT - 2) * Math.sqrt(share)
      context.fillRect(x, lane.y + BAR_HEIGHT / 2 - height, BAR_WIDTH - 0.6, height)
    }
    context.globalAlpha = 1
    paintMarks(context, lane.marks, palette)
  }
}

const paintLinks = (
  context: CanvasRenderingContext2D,
  { links }: Scene,
  layout: LineageLayout,
  palette: Palette,
): void => {
  const straight = links.length > MOST_CURVES
  for (const role of ['faded', 'plain', 'path'] as const) {
    context.beginPath()
    for (const link of links) if (link.role === role) traceLink(layout, link, context, straight)
    context.globalAlpha = LINK_ALPHA[role]
    context.strokeStyle = role === 'path' ? palette.accent : palette.link
    context.lineWidth = role === 'path' ? 2 : 1
    context.stroke()
  }
  context.globalAlpha = 1
}

/** Marks of one look are one path; those in the population come last, with a ring. */
const paintMarks = (
  context: CanvasRenderingContext2D,
  marks: readonly SceneMark[],
  palette: Palette,
): void => {
  const looks = new Map<string, SceneMark[]>()
  for (const mark of marks) {
    const look = `${mark.alive ? 1 : 0}${mark.faded ? 0 : 1}${mark.kind}${mark.step ?? ''}`
    const same = looks.get(look)
    if (same) same.push(mark)
    else looks.set(look, [mark])
  }
  for (const key of [...looks.keys()].sort()) {
    const same = looks.get(key)!
    const { kind, step, alive, faded, r } = same[0]!
    const colour = step === null ? palette.kinds[kind] : palette.ramp[step]!
    context.globalAlpha = faded ? FADED : 1
    context.fillStyle = context.strokeStyle = colour
    if (kind === 'scored' && r < SMALL && !alive) {
      for (const mark of same) context.fillRect(mark.x - r, mark.y - r, 2 * r, 2 * r)
      continue
    }
    context.beginPath()
    for (const mark of same) traceMark(kind, mark.x, mark.y, drawnRadius(mark), context)
    if (FILLED[kind]) context.fill()
    if (!FILLED[kind] || alive) {
      context.lineWidth = alive ? ringWidth(same[0]!) : kind === 'static' ? 2.4 : 1.4
      if (alive) context.strokeStyle = palette.ink
      context.stroke()
    }
  }
  context.globalAlpha = 1
}
