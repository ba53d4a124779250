/** A colour and a dash for each layer of a comparison; the promoted one is the strongest, real data (−1) only a thread. */
const COLOURS = ['accent', 'arch-1', 'arch-2', 'kind-stability', 'baseline', 'kind-duplicate'] as const
const DASHES = ['none', '7 3', '2 3', '9 3 2 3', '1 4', '12 4'] as const

export const lookOf = (
  place: number,
): { readonly colour: string; readonly dash: string; readonly width: number } => {
  if (place < 0) return { colour: 'var(--ink-3)', dash: '1 3', width: 1.8 }
  const at = place === 0 ? 0 : 1 + ((place - 1) % (COLOURS.length - 1))
  return { colour: `var(--${COLOURS[at]!})`, dash: DASHES[at]!, width: place === 0 ? 2.6 : 1.8 }
}
