/** The curves of a promotion: of each layer the mean over its seeds, and the seeds behind it. */
import type { ComparisonRow } from '../../shared/comparison.ts'
import { mean } from '../../shared/pareto.ts'
import type { TransferPoint } from '../../shared/transfer.ts'
import type { TransferRunDetail } from '../../shared/transfer/contract.ts'
import { lineChart, type LineChart, type Point, type Size } from '../draw/lines.ts'
import { accuracyDomain, robustDomain } from '../draw/scale.ts'

/** A loss, or a measure, by name. */
export type Quantity = { readonly of: 'losses' | 'measures'; readonly name: string }
export type LayerCurve = {
  readonly fingerprint: string
  readonly label: string
  /** Position in the comparison: a colour and a dash each; −1: what real data comes to. */
  readonly place: number
  readonly mean: readonly Point[]
  readonly seeds: readonly (readonly Point[])[]
}

const pointsOf = (curve: readonly TransferPoint[], { of, name }: Quantity): Point[] =>
  curve.flatMap((point) => {
    const value = point[of]?.[name]
    return value === undefined ? [] : [{ step: point.step, value }]
  })

/** At each step the mean of the seeds that have been there. */
const meanOf = (seeds: readonly (readonly Point[])[]): Point[] =>
  [...Map.groupBy(seeds.flat(), ({ step }) => step)]
    .map(([step, points]) => ({ step, value: mean(points.map(({ value }) => value!)) }))
    .sort((a, b) => a.step - b.step)

/** Layers in the order of the comparison, those without a point left out. */
export const layerCurves = (
  rows: readonly Pick<ComparisonRow, 'fingerprint' | 'label'>[],
  runs: readonly Pick<TransferRunDetail, 'run' | 'curve'>[],
  quantity: Quantity,
): LayerCurve[] =>
  rows.flatMap(({ fingerprint, label }, place) => {
    const seeds = runs
      .filter(({ run }) => run.fingerprint === fingerprint)
      .map(({ curve }) => pointsOf(curve, quantity))
      .filter((points) => points.length > 0)
    return seeds.length > 0 ? [{ fingerprint, label, place, mean: meanOf(seeds), seeds }] : []
  })

/** What real data comes to, as one more line wherever the layers have points; none where it is not known. */
export const withReal = (curves: readonly LayerCurve[], value: number | undefined): readonly LayerCurve[] => {
  const steps = curveRows(curves).map(({ step }) => step)
  if (value === undefined || steps.length === 0) return curves
  const line = steps.map((step) => ({ step, value }))
  return [...curves, { fingerprint: 'real', label: REAL_IMAGES, place: -1, mean: line, seeds: [] }]
}
export const REAL_IMAGES = 'Real images'

/** Seeds of every layer first, so that the means lie over them; one seed is its own mean. */
export const seriesOf = (
  curves: readonly LayerCurve[],
): { readonly curve: LayerCurve; readonly faint: boolean; readonly points: readonly Point[] }[] => [
  ...curves.flatMap((curve) =>
    curve.seeds.length > 1 ? curve.seeds.map((points) => ({ curve, faint: true, points })) : [],
  ),
  ...[...curves].reverse().map((curve) => ({ curve, faint: false, points: curve.mean })),
]

/** `fraction`: from 0, and never beyond 1. */
export const transferChart = (
  curves: readonly LayerCurve[],
  size: Size,
  last: number,
  fraction: boolean,
): LineChart => {
  const series = seriesOf(curves).map(({ points }) => points)
  const values = series.flat().flatMap(({ value }) => value ?? [])
  const domain = fraction ? accuracyDomain(values, [0]) : robustDomain(values)
  return lineChart(series, size, domain, Math.max(1, last))
}

/** The means as a table: a row for each step, a cell for each layer. */
export const curveRows = (
  curves: readonly LayerCurve[],
): { readonly step: number; readonly values: readonly (number | null)[] }[] => {
  const steps = [...new Set(curves.flatMap((curve) => curve.mean.map(({ step }) => step)))].sort(
    (a, b) => a - b,
  )
  return steps.map((step) => ({
    step,
    values: curves.map((curve) => curve.mean.find((point) => point.step === step)?.value ?? null),
  }))
}
