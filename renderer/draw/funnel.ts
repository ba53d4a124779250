import type { Funnel } from '../../shared/contract.ts'
import type { Outcome } from '../family.ts'

export type FunnelRow = {
  readonly kind: 'generated' | Outcome
  readonly count: number
  /** The part of all that were generated, 0..1. */
  readonly share: number
  /** Its place on the bar, 0..1: what is left after it ends where it starts. */
  readonly from: number
  readonly to: number
}

/** The order of the tests: what each one takes away leaves less for the next, and what is left was scored. */
const TAKEN = ['duplicate', 'static', 'quality', 'stability', 'failed', 'pending'] as const

export const funnelRows = (funnel: Funnel): FunnelRow[] => {
  const all = Math.max(1, funnel.generated)
  let left = funnel.generated
  const taken = TAKEN.map((kind): FunnelRow => {
    const to = left / all
    left -= funnel[kind]
    return { kind, count: funnel[kind], share: funnel[kind] / all, from: left / all, to }
  })
  const share = funnel.scored / all
  return [
    { kind: 'generated', count: funnel.generated, share: 1, from: 0, to: funnel.generated > 0 ? 1 : 0 },
    ...taken,
    { kind: 'scored', count: funnel.scored, share, from: 0, to: share },
  ]
}
