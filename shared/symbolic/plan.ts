import type { InstructionName, Scalar, Size } from './program.ts'

/**
 * A program laid out for the engine's own kernel (main/engine/native), which runs it block by block in the
 * processor's cache: full-size values exist only as blocks, in registers of a few kilobytes, and are computed again in
 * each pass that needs them, but for those of slow ops, which are kept for one sample. A batch is gone through in phases (a phase ends where something is summed over the
 * batch), and in a phase each sample in steps (a step ends where something is summed over the sample's space).
 */
export type Plan = {
  readonly inputs: readonly { readonly size: Size; readonly small: number | null }[]
  readonly outputs: readonly { readonly size: Size; readonly small: number | null }[]
  /** Sizes of the small (not full-size) values, which are kept in memory, each whole. */
  readonly smalls: readonly Size[]
  readonly constants: readonly { readonly small: number; readonly value: Scalar }[]
  readonly phases: readonly Phase[]
}
export type Phase = {
  readonly batch: readonly SmallOp[]
  /** How many full-size values of a sample are kept for the steps after the one that computes them. */
  readonly kept: number
  readonly steps: readonly Step[]
}
export type Step = {
  /** Small ops of one sample, run before the step. */
  readonly sample: readonly SmallOp[]
  /** Small values that full-size ops use, repeated to a block each. */
  readonly tiles: readonly number[]
  readonly registers: number
  readonly full: readonly FullOp[]
}
export type SmallOp = {
  readonly op: InstructionName
  readonly to: number
  readonly from: readonly number[]
}
export const PLACES = ['input', 'output', 'register', 'tile', 'small', 'kept'] as const
/** Where a block of a full-size value lies. A sum or variance over space goes to the small value `to.index`. */
export type Location = {
  readonly in: (typeof PLACES)[number]
  readonly index: number
}
export type FullOp = {
  readonly op: InstructionName | FusedName
  readonly to: Location
  readonly from: readonly Location[]
  /** The small value that the sum of `moments` goes to; the variance goes to `to`. */
  readonly sum?: number
}

/** Fused ops of (a, b, c): a·b + c, a·b − c, c − a·b. */
export const FUSED_ELEMENTWISE = ['mulAdd', 'mulSub', 'subMul'] as const
/** Fused reductions over space: Σ a·b of (a, b); both variance and sum of a. */
export const FUSED_REDUCTIONS = ['mulSum', 'moments'] as const
export type FusedName = (typeof FUSED_ELEMENTWISE)[number] | (typeof FUSED_REDUCTIONS)[number]
/** The heading of a plan's text: its form's number changes with the form. */
export const HEADING = ['plan', 2] as const
/** How often a plan goes through the full-size tensors. */
export const sweepsOf = ({ phases }: Plan): number =>
  phases.flatMap(({ steps }) => steps).filter(({ full }) => full.length > 0).length

/** The plan as text, the form in which the kernel gets it: words and numbers with spaces between. */
export const planText = (plan: Plan): string => {
  const words: (string | number)[] = [...HEADING]
  const list = <T>(items: readonly T[], each: (item: T) => void): void => {
    words.push(items.length)
    items.forEach(each)
  }
  const place = ({ in: kind, index }: Location): void => {
    words.push(kind, index)
  }
  const port = ({ size, small }: Plan['inputs'][number]): void => {
    words.push(size, small ?? -1)
  }
  const smallOp = ({ op, to, from }: SmallOp): void => {
    words.push(op, to)
    list(from, (index) => words.push(index))
  }
  list(plan.inputs, port)
  list(plan.outputs, port)
  list(plan.smalls, (size) => words.push(size))
  list(plan.constants, ({ small, value: { value, powers } }) =>
    words.push(small, value, powers.hw, powers.n, powers.c, powers.k),
  )
  list(plan.phases, ({ batch, kept, steps }) => {
    list(batch, smallOp)
    words.push(kept)
    list(steps, ({ sample, tiles, registers, full }) => {
      list(sample, smallOp)
      list(tiles, (index) => words.push(index))
      words.push(registers)
      list(full, ({ op, to, from, sum }) => {
        words.push(op)
        place(to)
        list(from, place)
        if (sum !== undefined) words.push(sum)
      })
    })
  })
  return words.join(' ')
}

/** Sizes of a plan's outputs, from its text. */
export const resultSizes = (text: string): Size[] => {
  const words = text.split(' ')
  const start = HEADING.length + 1 + 2 * Number(words[HEADING.length])
  return Array.from({ length: Number(words[start]) }, (_, i) => words[start + 1 + 2 * i] as Size)
}
