import { accuracyDomain, place } from './scale.ts'
import type { Size } from './viewport.ts'

export type Sparkline = {
  /** The best average so far, as steps; '' without a point. */
  readonly path: string
  readonly end: { readonly x: number; readonly y: number } | null
  /** Height of the best baseline. */
  readonly baseline: number | null
}

/** Best-so-far over the candidates generated, small: no axis, only the shape and the line to beat. */
export const sparkline = (
  trend: readonly { readonly number: number; readonly average: number }[],
  baseline: number | null,
  generated: number,
  { width, height }: Size,
): Sparkline => {
  const pad = 3
  const domain = accuracyDomain(
    trend.map((point) => point.average),
    baseline === null ? [] : [baseline],
  )
  const y = (value: number): number => place(value, domain, [height - pad, pad])!.at
  const last = Math.max(1, generated - 1, trend.at(-1)?.number ?? 0)
  const x = (number: number): number => pad + (number / last) * (width - 2 * pad)
  const [first, ...rest] = trend
  const final = trend.at(-1)
  const path = first
    ? `M${x(first.number).toFixed(1)} ${y(first.average).toFixed(1)}` +
      rest.map(({ number, average }) => `H${x(number).toFixed(1)}V${y(average).toFixed(1)}`).join('') +
      `H${x(last).toFixed(1)}`
    : ''
  return {
    path,
    end: final ? { x: x(last), y: y(final.average) } : null,
    baseline: baseline === null ? null : y(baseline),
  }
}
