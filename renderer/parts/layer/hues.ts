import type { Evaluation } from '../../../shared/records.ts'

const DASHES = ['none', '7 3', '2 3', '9 3 2 3'] as const

/** A colour and a dash for each architecture: the dash tells them apart where colour does not. */
export const hue = (index: number): { readonly colour: string; readonly dash: string } => ({
  colour: `var(--arch-${Math.max(0, index) % 3})`,
  dash: DASHES[Math.max(0, index) % DASHES.length]!,
})

export const hueOf = (order: readonly string[], { architecture }: Evaluation): ReturnType<typeof hue> =>
  hue(order.indexOf(architecture.name))
