/** A study's curves as SVG: the median of each arm over its quartiles. */
import { bandsOf, type Results } from './results.ts'

const SIZE = { width: 640, height: 360, left: 56, right: 16, top: 16, bottom: 44 }
const HUES = ['#8a8f98', '#2f6fde', '#c2571a', '#2b8a57', '#8b4fc4', '#b0892c', '#c23b6b', '#3b9db0']

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** Round numbers from 0 to `most`, about five of them. */
const ticksTo = (most: number): number[] => {
  const rough = most / 5
  const unit = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough)!
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step)
}

export const chartOf = ({ plan, runs }: Results, by: 'trained' | 'seconds'): string => {
  const arms = plan.arms.map(({ name }, arm) => ({ name, bands: bandsOf(runs, arm, by) }))
  const all = arms.flatMap(({ bands }) => bands)
  const [right, top] = [
    Math.max(1e-9, ...all.map(({ at }) => at)),
    Math.max(0.01, ...all.map(({ high }) => high)),
  ]
  const x = (at: number): string =>
    (SIZE.left + (at / right) * (SIZE.width - SIZE.left - SIZE.right)).toFixed(1)
  const y = (value: number): string =>
    (SIZE.height - SIZE.bottom - (value / top) * (SIZE.height - SIZE.top - SIZE.bottom)).toFixed(1)
  const line = (points: readonly string[]): string => `M${points.join('L')}`
  const drawn = arms.flatMap(({ bands }, i) => {
    if (bands.length === 0) return []
    const area = [
      ...bands.map(({ at, high }) => `${x(at)},${y(high)}`),
      ...bands.toReversed().map(({ at, low }) => `${x(at)},${y(low)}`),
    ]
    return [
      `<path d="${line(area)}Z" fill="${HUES[i]}" opacity="0.18"/>`,
      `<path d="${line(bands.map(({ at, middle }) => `${x(at)},${y(middle)}`))}" fill="none" stroke="${HUES[i]}" stroke-width="2"/>`,
    ]
  })
  const axes = [
    ...ticksTo(top).map(
      (value) =>
        `<path d="M${SIZE.left},${y(value)}H${SIZE.width - SIZE.right}" stroke="#ddd"/>` +
        `<text x="${SIZE.left - 8}" y="${y(value)}" text-anchor="end" dy="4">${Math.round(100 * value)} %</text>`,
    ),
    ...ticksTo(right).map(
      (at) => `<text x="${x(at)}" y="${SIZE.height - SIZE.bottom + 18}" text-anchor="middle">${at}</text>`,
    ),
    `<text x="${SIZE.width / 2}" y="${SIZE.height - 6}" text-anchor="middle">${by === 'trained' ? 'layers trained' : 'seconds of work'}</text>`,
  ]
  const legend = arms.map(
    ({ name }, i) =>
      `<text x="${SIZE.left + 12}" y="${SIZE.top + 16 + 16 * i}" fill="${HUES[i]}" font-weight="600">${escaped(name)}</text>`,
  )
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="12">` +
    `<title>${escaped(plan.title)}: best found layer so far, median and quartiles</title>${[...axes, ...drawn, ...legend].join('')}</svg>`
  )
}
