import type { LineageNode } from '../../shared/contract.ts'

/** A candidate as the lineage knows it, scored unless said otherwise. */
export const candidate = (
  number: number,
  parent: number | null,
  more: Partial<LineageNode> = {},
): LineageNode => ({
  number,
  role: 'candidate',
  parent,
  origin: parent === null ? 'random' : 'mutation',
  status: 'scored',
  rejected: null,
  duplicateOf: null,
  family: null,
  known: null,
  average: 0.5,
  scores: [0.5],
  fingerprint: `f${number}`,
  alive: false,
  ...more,
})

export const rejected = (
  number: number,
  parent: number | null,
  stage: 'static' | 'quality' | 'stability',
): LineageNode =>
  candidate(number, parent, { status: 'rejected', rejected: stage, average: null, scores: null })

export const baseline = (number: number, name: string, average: number): LineageNode =>
  candidate(number, null, { role: 'baseline', origin: name, average, scores: [average] })
