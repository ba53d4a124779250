import { path } from 'd3'
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
import { FADED, LINK_ALPHA } from './paint.ts'
import type { Palette } from './palette.ts'

/** What the canvas shows, as SVG text: for a file. */
export const sceneText = (scene: Scene, layout: LineageLayout, palette: Palette): string => {
  const parts = gridOf(scene).map(
    ({ x0, y0, x1, y1 }) => `<line x1="${x0}" y1="${y0}" x2="${x1}" y2="${y1}" stroke="${palette.line}"/>`,
  )
  for (const { x, y, share, step } of scene.cells)
    parts.push(
      `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" fill="${palette.ramp[step]}" opacity="${0.25 + 0.75 * share}"/>`,
    )
  const straight = scene.links.length > MOST_CURVES
  for (const role of ['faded', 'plain', 'path'] as const) {
    const pen = path()
    for (const link of scene.links) if (link.role === role) traceLink(layout, link, pen, straight)
    const colour = role === 'path' ? palette.accent : palette.link
    if (pen.toString() !== '')
      parts.push(
        `<path d="${pen}" fill="none" stroke="${colour}" stroke-width="${role === 'path' ? 2 : 1}" opacity="${LINK_ALPHA[role]}"/>`,
      )
  }
  parts.push(...scene.marks.map((mark) => markText(mark, palette)))
  for (const lane of scene.lanes) {
    const colour = palette.kinds[lane.kind]
    for (const { x, share } of lane.bars) {
      const height = 2 + 13 * Math.sqrt(share)
      parts.push(
        `<rect x="${x}" y="${lane.y + 7.5 - height}" width="${BAR_WIDTH - 0.6}" height="${height}" fill="${colour}"/>`,
      )
    }
    parts.push(...lane.marks.map((mark) => markText(mark, palette)))
  }
  return parts.join('')
}

const markText = (mark: SceneMark, palette: Palette): string => {
  const pen = path()
  traceMark(mark.kind, mark.x, mark.y, drawnRadius(mark), pen)
  const colour = mark.step === null ? palette.kinds[mark.kind] : palette.ramp[mark.step]!
  const [fill, stroke] = FILLED[mark.kind] ? [colour, mark.alive ? palette.ink : 'none'] : ['none', colour]
  const faded = mark.faded ? ` opacity="${FADED}"` : ''
  return `<path d="${pen}" fill="${fill}" stroke="${stroke}" stroke-width="${mark.alive ? ringWidth(mark) : 1.4}"${faded}/>`
}
