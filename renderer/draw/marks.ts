/** The shape of a mark says what became of a candidate; the same shapes stand in every list (parts/OutcomeMark). */
import type { LaneKind } from './lineage.ts'

/** What a canvas' context and d3's path have in common. */
export type Pen = {
  moveTo(x: number, y: number): void
  lineTo(x: number, y: number): void
  arc(x: number, y: number, radius: number, from: number, to: number): void
  closePath(): void
}
export type MarkKind = 'scored' | LaneKind

/** Whether the shape is filled, or an outline only. */
export const FILLED: Readonly<Record<MarkKind, boolean>> = {
  scored: true,
  baseline: true,
  quality: true,
  stability: true,
  duplicate: false,
  static: false,
  failed: false,
  pending: false,
}

const polygon = (pen: Pen, corners: readonly (readonly [number, number])[]): void => {
  corners.forEach(([x, y], i) => (i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)))
  pen.closePath()
}
const circle = (pen: Pen, x: number, y: number, r: number): void => {
  pen.moveTo(x + r, y)
  pen.arc(x, y, r, 0, 2 * Math.PI)
}

const SHAPES: Readonly<Record<MarkKind, (pen: Pen, x: number, y: number, r: number) => void>> = {
  scored: circle,
  pending: circle,
  baseline: (pen, x, y, r) => {
    const corners = Array.from({ length: 10 }, (_, i): readonly [number, number] => {
      const radius = i % 2 === 0 ? 1.3 * r : 0.6 * r
      const angle = -Math.PI / 2 + (i * Math.PI) / 5
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)]
    })
    polygon(pen, corners)
  },
  duplicate: (pen, x, y, r) => {
    const h = 0.85 * r
    polygon(pen, [
      [x - h, y - h],
      [x + h, y - h],
      [x + h, y + h],
      [x - h, y + h],
    ])
  },
  static: (pen, x, y, r) => {
    pen.moveTo(x - r, y)
    pen.lineTo(x + r, y)
  },
  quality: (pen, x, y, r) =>
    polygon(pen, [
      [x - 1.1 * r, y - 0.85 * r],
      [x + 1.1 * r, y - 0.85 * r],
      [x, y + 1.05 * r],
    ]),
  stability: (pen, x, y, r) =>
    polygon(pen, [
      [x, y - 1.2 * r],
      [x + 1.2 * r, y],
      [x, y + 1.2 * r],
      [x - 1.2 * r, y],
    ]),
  failed: (pen, x, y, r) => {
    const h = 0.85 * r
    pen.moveTo(x - h, y - h)
    pen.lineTo(x + h, y + h)
    pen.moveTo(x + h, y - h)
    pen.lineTo(x - h, y + h)
  },
}

/** Draws the outline of a mark with radius `r` pixels. */
export const traceMark = (kind: MarkKind, x: number, y: number, r: number, pen: Pen): void =>
  SHAPES[kind](pen, x, y, r)
