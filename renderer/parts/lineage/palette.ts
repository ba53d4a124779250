import type { MarkKind } from '../../draw/marks.ts'
import { rampSteps } from '../../draw/ramp.ts'
import type { ShownTheme } from '../../theme.ts'

/** Style variable of each kind's colour. */
export const KIND_COLOURS: Readonly<Record<MarkKind, string>> = {
  scored: '--ink-3',
  baseline: '--baseline',
  pending: '--accent',
  duplicate: '--kind-duplicate',
  static: '--kind-static',
  quality: '--kind-quality',
  stability: '--kind-stability',
  failed: '--kind-failed',
}

/** The colours a canvas needs, read from the page's style. */
export type Palette = {
  readonly theme: ShownTheme
  readonly ramp: readonly string[]
  readonly kinds: Readonly<Record<MarkKind, string>>
  readonly ink: string
  readonly line: string
  readonly link: string
  readonly accent: string
  readonly surface: string
}

export const readPalette = (theme: ShownTheme): Palette => {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string): string => style.getPropertyValue(name).trim()
  const kinds = Object.fromEntries(Object.entries(KIND_COLOURS).map(([kind, name]) => [kind, read(name)]))
  return {
    theme,
    ramp: rampSteps(theme),
    kinds: kinds as Palette['kinds'],
    ink: read('--ink'),
    line: read('--line'),
    link: read('--ink-3'),
    accent: read('--accent'),
    surface: read('--surface'),
  }
}
