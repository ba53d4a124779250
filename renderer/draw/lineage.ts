import type { LineageNode } from '../../shared/contract.ts'
import { outcome, type Outcome } from '../family.ts'
import { foldExtinct, type Band, type FoldOptions } from './bands.ts'
import { robustDomain, type Domain } from './scale.ts'
import { layoutTree } from './tree.ts'
import type { Window } from './viewport.ts'

/** `family`: rows of the family tree; `score`: height is the average accuracy. */
export type LineageLayout = 'family' | 'score'
/** Where the candidates without offspring or score go: lanes below the tree, leaves at their parents, or nowhere. */
export type OthersShown = 'lanes' | 'leaves' | 'hidden'
/** What runs from left to right: the order of proposals, or how many mutations lie between a layer and its root. */
export type LineageAxis = 'candidate' | 'generation'

export type Mark = {
  readonly node: LineageNode
  readonly kind: Outcome
  /** Place along the axis, and row or minus the accuracy in percent: data of the drawing's window. */
  readonly x: number
  readonly y: number
  /** 0..1 along the ramp, null without a score. */
  readonly t: number | null
  readonly label: string | null
  /** Descendants not drawn, because the mark is collapsed or their branches are too small for a band. */
  readonly hidden: number
}
/** A band in the drawing: from the branch's first to its last layer. */
export type BandMark = {
  readonly band: Band
  readonly x0: number
  readonly x1: number
  readonly y: number
  /** Rows of the tree it takes. */
  readonly rows: number
  readonly t: number | null
  /** Where it branches off. */
  readonly from: Mark | null
}
export type Link = { readonly from: Mark; readonly to: Mark }
export type LaneKind = 'baseline' | Exclude<Outcome, 'scored'>
/** Candidates drawn apart from the tree, ascending along the axis, with their places on it. */
export type Lane = {
  readonly kind: LaneKind
  readonly nodes: readonly LineageNode[]
  readonly xs: readonly number[]
}

export type LineageModel = {
  readonly layout: LineageLayout
  readonly axis: LineageAxis
  /** Ascending along the axis. */
  readonly marks: readonly Mark[]
  readonly links: readonly Link[]
  readonly bands: readonly BandMark[]
  readonly lanes: readonly Lane[]
  readonly byNumber: ReadonlyMap<number, Mark>
  /** Accuracies at the ends of the ramp. */
  readonly scores: Domain
  readonly whole: Window
}

const LANES: readonly LaneKind[] = [
  'baseline',
  'pending',
  'duplicate',
  'static',
  'quality',
  'stability',
  'failed',
]

/** A root's name where it has one worth reading. */
const labelOf = (node: LineageNode): string | null =>
  node.origin === 'random' || node.origin === 'mutation' ? null : node.origin

/**
 * Every candidate exactly once, in the tree or in a lane (or hidden under a collapsed ancestor). In the tree: scored layers, and
 * whatever has scored offspring; others too where they are shown as leaves.
 */
export const lineageModel = (
  nodes: readonly LineageNode[],
  layout: LineageLayout,
  others: OthersShown,
  collapsed: ReadonlySet<number> = new Set(),
  { axis = 'candidate', fold = null }: { axis?: LineageAxis; fold?: FoldOptions | null } = {},
): LineageModel => {
  const inTree = members(nodes, others)
  const everyone = nodes.filter((node) => inTree.has(node.number))
  const xOf = places(nodes, axis)
  const { nodes: drawn, bands, under } = fold ? foldExtinct(everyone, fold) : UNFOLDED(everyone)
  const averages = everyone.flatMap((node) => (node.average === null ? [] : [node.average]))
  const scores = robustDomain(averages)
  const tree = layoutTree(
    [
      ...drawn.map((node) => ({
        number: node.number,
        parent: node.parent,
        labelled: labelOf(node) !== null,
        x: xOf(node.number),
      })),
      // After the layers, since each comes after its parent; below zero, where no layer's number is.
      ...bands.map((band) => ({
        number: -1 - band.key,
        parent: band.parent,
        labelled: false,
        x: xOf(band.first),
        end: xOf(band.last),
        rows: bandRows(band),
      })),
    ],
    collapsed,
  )
  const tOf = (average: number | null): number | null =>
    average === null ? null : clampUnit((average - scores[0]) / (scores[1] - scores[0] || 1))
  const floor = scores[0] - (scores[1] - scores[0]) * 0.04

  const marks: Mark[] = []
  const byNumber = new Map<number, Mark>()
  const links: Link[] = []
  for (const node of drawn) {
    const row = tree.rows.get(node.number)
    if (row === undefined) continue
    const average = node.average
    const height = Math.min(Math.max(average ?? floor, floor), scores[1] + 1)
    const mark: Mark = {
      node,
      kind: outcome(node),
      x: xOf(node.number),
      y: layout === 'family' ? row : -height * 100,
      t: tOf(average),
      label: labelOf(node),
      hidden: tree.hidden.get(node.number) ?? under.get(node.number) ?? 0,
    }
    marks.push(mark)
    byNumber.set(node.number, mark)
    const from = node.parent === null ? undefined : byNumber.get(node.parent)
    if (from) links.push({ from, to: mark })
  }
  if (axis !== 'candidate') marks.sort((a, b) => a.x - b.x)
  return {
    layout,
    axis,
    marks,
    links,
    bands: bands.flatMap((band): BandMark[] => {
      const row = tree.rows.get(-1 - band.key)
      if (row === undefined) return []
      const from = band.parent === null ? null : (byNumber.get(band.parent) ?? null)
      const y = layout === 'family' ? row : -(band.best ?? floor) * 100
      const ends = { x0: xOf(band.first), x1: xOf(band.last) }
      return [{ band, ...ends, y, rows: bandRows(band), t: tOf(band.best), from }]
    }),
    lanes: others === 'hidden' ? [] : lanes(nodes, inTree, axis, xOf),
    byNumber,
    scores,
    whole: whole(layout, xOf.last, tree.extent, scores),
  }
}

/** The more layers the higher, so that a band is seen for what it was. */
const bandRows = ({ count }: Band): number => 1 + 1.2 * Math.log2(count)

const UNFOLDED = (nodes: readonly LineageNode[]): ReturnType<typeof foldExtinct> => ({
  nodes,
  bands: [],
  under: new Map(),
})

type Places = ((number: number) => number) & { readonly last: number }

/** Where candidates stand along an axis. */
const places = (nodes: readonly LineageNode[], axis: LineageAxis): Places => {
  if (axis === 'candidate')
    return Object.assign((number: number) => number, { last: Math.max(12, nodes.at(-1)?.number ?? 0) })
  const depths = new Map<number, number>()
  let last = 1
  for (const { number, parent } of nodes) {
    const depth = parent === null ? 0 : (depths.get(parent) ?? -1) + 1
    depths.set(number, depth)
    last = Math.max(last, depth)
  }
  return Object.assign((number: number) => depths.get(number) ?? 0, { last })
}

const clampUnit = (t: number): number => Math.min(1, Math.max(0, t))

const members = (nodes: readonly LineageNode[], others: OthersShown): Set<number> => {
  const found = new Set<number>()
  // Backwards, since parents come before their children: the way to the root belongs to whatever is in the tree.
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!
    if (node.role === 'baseline') continue
    const leaf = others === 'leaves' && node.parent !== null && outcome(node) !== 'pending'
    const own = outcome(node) === 'scored' || leaf || labelOf(node) !== null
    if (!own && !found.has(node.number)) continue
    found.add(node.number)
    if (node.parent !== null) found.add(node.parent)
  }
  return found
}

const lanes = (
  nodes: readonly LineageNode[],
  inTree: ReadonlySet<number>,
  axis: LineageAxis,
  xOf: Places,
): Lane[] => {
  const byKind = new Map<LaneKind, LineageNode[]>(LANES.map((kind) => [kind, []]))
  for (const node of nodes) {
    if (inTree.has(node.number)) continue
    const kind = outcome(node)
    const lane = node.role === 'baseline' || kind === 'scored' ? 'baseline' : kind
    byKind.get(lane)!.push(node)
  }
  return LANES.flatMap((kind) => {
    const found = byKind.get(kind)!
    if (axis !== 'candidate') found.sort((a, b) => xOf(a.number) - xOf(b.number))
    return found.length > 0 ? [{ kind, nodes: found, xs: found.map(({ number }) => xOf(number)) }] : []
  })
}

/** Rows are never drawn further apart than a small tree needs: the window of a few rows is wider than they are. */
const LEAST_ROWS = 14

const whole = (
  layout: LineageLayout,
  last: number,
  rows: readonly [number, number],
  scores: Domain,
): Window => {
  const [x0, x1] = [-last * 0.015, last * 1.015]
  if (layout === 'score') return { x0, x1, y0: -scores[1] * 100, y1: -scores[0] * 100 }
  const spare = Math.max(0, LEAST_ROWS - (rows[1] - rows[0] + 1)) / 2
  return { x0, x1, y0: rows[0] - 1 - spare, y1: rows[1] + 1 + spare }
}

/** Position of the first item at or after `number` in a list ascending by number. */
export const lowerBound = <T>(items: readonly T[], number: number, at: (item: T) => number): number => {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(items[middle]!) < number) low = middle + 1
    else high = middle
  }
  return low
}
