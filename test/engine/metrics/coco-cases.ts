/** The random cases of test/reference/coco_eval.py, made by the same arithmetic in the same order. */
import type { Detection, Truth } from '../../../main/engine/metrics/coco.ts'
import { maskArea, type Box } from '../../../main/engine/metrics/mask.ts'
import { polygonsMask } from '../../../main/engine/metrics/polygon.ts'
import { mulberry32, type Below } from '../../reference/portable.ts'

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

/** Vertices in tenths of a pixel about a centre inside the image. */
const polygon = (below: Below, height: number, width: number): number[] => {
  const x = below(10 * width)
  const y = below(10 * height)
  const radius = 10 * (2 + below(1 + below(240)))
  const numbers = 2 * (3 + below(5))
  return Array.from({ length: numbers }, (_, i) => (i % 2 === 0 ? x : y) + below(2 * radius + 1) - radius)
}

const boxOf = (polygons: readonly number[][]): Box => {
  const side = (odd: number) => polygons.flat().filter((_, i) => i % 2 === odd)
  const [left, top] = [Math.min(...side(0)), Math.min(...side(1))]
  return [left / 10, top / 10, (Math.max(...side(0)) - left) / 10, (Math.max(...side(1)) - top) / 10]
}

const moved = (below: Below, polygons: readonly number[][], by: number): number[][] =>
  polygons.map((p) => p.map((v) => v + below(2 * by + 1) - by))

export const cocoCase = (number: number): { truths: Truth[]; detections: Detection[] } => {
  const below = mulberry32(number)
  const height = 60 + below(260)
  const width = 60 + below(260)
  const categories = 1 + below(4)
  const images = 1 + below(6)
  const truths: Truth[] = []
  const detections: Detection[] = []
  const segment = (polygons: readonly number[][]) => {
    const pixels = polygons.map((p) => p.map((v) => v / 10))
    return { box: boxOf(polygons), mask: polygonsMask(pixels, height, width) }
  }
  const detect = (image: number, category: number, polygons: readonly number[][], score: number) =>
    detections.push({ image, category, score: score / 100, ...segment(polygons) })

  for (let image = 1; image <= images; image++) {
    for (let left = below(8); left > 0; left--) {
      const shape = times(1 + below(2), () => polygon(below, height, width))
      const category = 1 + below(categories)
      const crowd = below(8) === 0
      const halved = below(10) === 0
      const own = segment(shape)
      truths.push({ image, category, crowd, area: maskArea(own.mask) * (halved ? 0.5 : 1), ...own })
      for (let more = below(4); more > 0; more--) {
        const other = below(8) === 0 ? 1 + below(categories) : category
        const by = below(60)
        const there = moved(below, shape, by)
        detect(image, other, there, below(100))
      }
    }
    for (let left = below(5) + (below(40) === 0 ? 120 : 0); left > 0; left--) {
      const category = 1 + below(categories)
      const shape = [polygon(below, height, width)]
      detect(image, category, shape, below(100))
    }
  }
  if (detections.length === 0) detect(1, 1, [polygon(below, height, width)], 50)
  return { truths, detections }
}
