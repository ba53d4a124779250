/** Colours of scores: one hue path from pale to deep (light) or deep to bright (dark), told apart by lightness alone. */
import { color, interpolateRgbBasis } from 'd3'

/** The themes that are shown, with a ramp for each. */
type Ground = 'light' | 'dark' | 'contrast'

/** Steps of the ramp in drawings: marks of one colour are drawn in one go. */
export const RAMP_STEPS = 24

const STOPS: Readonly<Record<Ground, readonly string[]>> = {
  light: ['#d9d3a5', '#a3c795', '#55ae9b', '#2488a3', '#215d98', '#252c6b'],
  dark: ['#3d3a5c', '#3a5a86', '#2f8290', '#4cac86', '#a5cf6c', '#f8ea7d'],
  contrast: ['#5a5a8c', '#3f7fb8', '#31a5a5', '#68c97f', '#c5e35c', '#ffffb0'],
}

/** A colour for t in 0..1, worst to best. */
export const ramp = (theme: Ground): ((t: number) => string) => {
  const at = interpolateRgbBasis([...STOPS[theme]])
  return (t) => color(at(Math.min(1, Math.max(0, t))))!.formatHex()
}

/** So many colours from worst to best. */
export const rampSteps = (theme: Ground, steps: number = RAMP_STEPS): string[] => {
  const at = ramp(theme)
  return Array.from({ length: steps }, (_, i) => at(i / Math.max(1, steps - 1)))
}
