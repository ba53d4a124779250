/**
 * COCO's average precision and recall of detections, as COCOeval (cocoapi, PythonAPI/pycocotools/cocoeval.py)
 * computes and summarises them: ten overlap thresholds, 101 recall points, three area ranges, at most 1, 10 or 100
 * detections an image, crowds ignored.
 */
import { boxIou, maskArea, maskBox, maskIou, type Box, type Rle } from './mask.ts'

export type Truth = {
  readonly image: number
  readonly category: number
  readonly box: Box
  /** Pixels; decides the area range. COCO takes the segment's area for boxes too. */
  readonly area: number
  readonly crowd: boolean
  readonly mask?: Rle
}

export type Detection = {
  readonly image: number
  readonly category: number
  readonly score: number
  readonly box: Box
  readonly mask?: Rle
}

/** Averages over categories and thresholds, 0..1; null where no object is in the range. */
export type CocoSummary = Readonly<Record<Measure, number | null>>
type Measure = (typeof MEASURES)[number]
export const MEASURES = [
  'ap',
  'ap50',
  'ap75',
  'apSmall',
  'apMedium',
  'apLarge',
  'ar1',
  'ar10',
  'ar100',
  'arSmall',
  'arMedium',
  'arLarge',
] as const

/** As numpy's linspace rounds them: comparisons with recalls and overlaps then fall the same way. */
const linspace = (start: number, stop: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) =>
    i === count - 1 ? stop : i * ((stop - start) / (count - 1)) + start,
  )
const OVERLAPS = linspace(0.5, 0.95, 10)
const RECALLS = linspace(0, 1, 101)
const AREAS = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const
type Area = keyof typeof AREAS
const LIMITS = [1, 10, 100] as const
const MOST = 100

/** One image and category: detections best first (at most 100), objects, overlaps `[detection][object]`. */
type Pair = {
  readonly detections: readonly { readonly score: number; readonly area: number }[]
  readonly truths: readonly Truth[]
  readonly overlaps: readonly (readonly number[])[]
}

/** Detections of one image and class that found an object, and those left out of account, by threshold; one area range. */
type Matches = {
  readonly scores: readonly number[]
  readonly matched: readonly Uint8Array[]
  readonly ignored: readonly Uint8Array[]
  readonly objects: number
}

/** `kind` says what overlap is measured on; masks are needed on both sides for `mask`. */
export const evaluateCoco = (
  truths: readonly Truth[],
  detections: readonly Detection[],
  kind: 'box' | 'mask',
): CocoSummary => {
  const categories = [...new Set(truths.map(({ category }) => category))].sort((a, b) => a - b)
  const pairs = categories.map((category) => pairsOf(truths, detections, category, kind))
  const results = (area: Area) =>
    pairs.map((ofCategory) => {
      const matches = ofCategory.map((pair) => match(pair, AREAS[area]))
      return (most: number) => accumulate(matches, most)
    })
  const by = {
    all: results('all'),
    small: results('small'),
    medium: results('medium'),
    large: results('large'),
  }
  const precision = (area: Area, threshold?: number) =>
    mean(
      by[area].map((of) => of(MOST)?.precisions),
      (p) => (threshold === undefined ? p.flat() : p[threshold]!),
    )
  const recall = (area: Area, most: number) =>
    mean(
      by[area].map((of) => of(most)?.recalls),
      (r) => r,
    )
  const [ar1, ar10, ar100] = LIMITS.map((most) => recall('all', most)) as [number, number, number]
  return {
    ap: precision('all'),
    ap50: precision('all', 0),
    ap75: precision('all', 5),
    apSmall: precision('small'),
    apMedium: precision('medium'),
    apLarge: precision('large'),
    ...{ ar1, ar10, ar100 },
    arSmall: recall('small', MOST),
    arMedium: recall('medium', MOST),
    arLarge: recall('large', MOST),
  }
}

/** Mean over all values of the categories that have objects; null where none has. */
const mean = <T>(found: readonly (T | undefined)[], values: (of: T) => readonly number[]): number | null => {
  const all = found.flatMap((of) => (of === undefined ? [] : values(of)))
  return all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0) / all.length
}

const pairsOf = (
  truths: readonly Truth[],
  detections: readonly Detection[],
  category: number,
  kind: 'box' | 'mask',
): Pair[] => {
  const groups = new Map<number, { truths: Truth[]; detections: Detection[] }>()
  const groupOf = (image: number) => {
    const group = groups.get(image) ?? { truths: [], detections: [] }
    groups.set(image, group)
    return group
  }
  for (const truth of truths) if (truth.category === category) groupOf(truth.image).truths.push(truth)
  for (const detection of detections)
    if (detection.category === category) groupOf(detection.image).detections.push(detection)

  const images = [...groups.keys()].sort((a, b) => a - b)
  return images.map((image) => {
    const group = groups.get(image)!
    const best = group.detections.sort((a, b) => b.score - a.score).slice(0, MOST)
    return {
      truths: group.truths,
      detections: best.map((detection) => ({
        score: detection.score,
        area: kind === 'box' ? detection.box[2] * detection.box[3] : maskArea(maskOf(detection)),
      })),
      overlaps: kind === 'box' ? boxOverlaps(best, group.truths) : maskOverlaps(best, group.truths),
    }
  })
}

const boxOverlaps = (detections: readonly Detection[], truths: readonly Truth[]): number[][] =>
  detections.map(({ box }) => truths.map((truth) => boxIou(box, truth.box, truth.crowd)))

const maskOverlaps = (detections: readonly Detection[], truths: readonly Truth[]): number[][] => {
  const objects = truths.map((truth) => ({
    mask: maskOf(truth),
    box: maskBox(maskOf(truth)),
    crowd: truth.crowd,
  }))
  return detections.map((detection) => {
    const mask = maskOf(detection)
    const box = maskBox(mask)
    // Most pairs lie apart, which their boxes tell without a walk along the runs.
    return objects.map((object) =>
      boxIou(box, object.box, false) === 0 ? 0 : maskIou(mask, object.mask, object.crowd),
    )
  })
}

const maskOf = ({ mask, image }: { readonly mask?: Rle; readonly image: number }): Rle => {
  if (!mask)
    throw new Error(`coco: image ${image}: needed a mask for every object and detection, one has none`)
  return mask
}

/** Gives each detection, best first, the object of largest overlap that is still free; objects out of range last. */
const match = (pair: Pair, [least, most]: readonly [number, number]): Matches => {
  const outside = (area: number) => area < least || area > most
  const left = pair.truths.map((truth) => truth.crowd || outside(truth.area))
  const order = [...left.keys()].sort((a, b) => Number(left[a]) - Number(left[b]))
  const count = pair.detections.length

  const perThreshold = OVERLAPS.map((threshold) => {
    const taken = new Uint8Array(left.length)
    const matched = new Uint8Array(count)
    const ignored = new Uint8Array(count)
    for (let d = 0; d < count; d++) {
      let overlap = Math.min(threshold, 1 - 1e-10)
      let found = -1
      for (const g of order) {
        if (taken[g] && !pair.truths[g]!.crowd) continue
        if (found >= 0 && !left[found] && left[g]) break
        if (pair.overlaps[d]![g]! < overlap) continue
        overlap = pair.overlaps[d]![g]!
        found = g
      }
      if (found >= 0) {
        taken[found] = matched[d] = 1
        ignored[d] = Number(left[found])
      } else ignored[d] = Number(outside(pair.detections[d]!.area))
    }
    return { matched, ignored }
  })
  return {
    scores: pair.detections.map(({ score }) => score),
    matched: perThreshold.map(({ matched }) => matched),
    ignored: perThreshold.map(({ ignored }) => ignored),
    objects: left.filter((out) => !out).length,
  }
}

/** Interpolated precisions `[threshold][recall point]` and final recalls `[threshold]` of one category. */
const accumulate = (
  matches: readonly Matches[],
  most: number,
): { precisions: number[][]; recalls: number[] } | undefined => {
  const objects = matches.reduce((sum, of) => sum + of.objects, 0)
  if (objects === 0) return undefined
  const ranked = matches
    .flatMap((of) => of.scores.slice(0, most).map((score, d) => ({ score, of, d })))
    .sort((a, b) => b.score - a.score)

  const curves = OVERLAPS.map((_, t) => {
    let [right, wrong] = [0, 0]
    const recalls: number[] = []
    const precisions: number[] = []
    for (const { of, d } of ranked) {
      if (!of.ignored[t]![d]) {
        if (of.matched[t]![d]) right++
        else wrong++
      }
      recalls.push(right / objects)
      precisions.push(right / (right + wrong + Number.EPSILON))
    }
    for (let i = precisions.length - 1; i > 0; i--)
      precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!)
    let at = 0
    const sampled = RECALLS.map((needed) => {
      while (at < recalls.length && recalls[at]! < needed) at++
      return precisions[at] ?? 0
    })
    return { sampled, recall: recalls.at(-1) ?? 0 }
  })
  return { precisions: curves.map(({ sampled }) => sampled), recalls: curves.map(({ recall }) => recall) }
}
