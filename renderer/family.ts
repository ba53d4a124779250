import { bisector } from 'd3'
import { createSubscriber } from 'svelte/reactivity'
import type { LineageNode } from '../shared/contract.ts'
import type { EvolutionConfig } from '../shared/records.ts'

const byNumber = bisector<LineageNode, number>((node) => node.number).left

/**
 * The candidates of one search by number, with their children: filled once, then kept up to date by events. What reads it
 * in a component is run again after `changed`.
 */
export class Family {
  readonly #nodes = new Map<number, LineageNode>()
  readonly #children = new Map<number, number[]>()
  /** Ascending by number. */
  readonly #sorted: LineageNode[] = []
  /** `#sorted` as it was given out, until something changes. */
  #given: readonly LineageNode[] | null = null
  #tell = (): void => undefined
  readonly #watch = createSubscriber((tell) => {
    this.#tell = tell
  })

  constructor(nodes: readonly LineageNode[] = []) {
    for (const node of nodes) this.put(node)
  }

  /** Adds a candidate or replaces what was known of it. */
  put(node: LineageNode): void {
    const before = this.#nodes.get(node.number)
    this.#nodes.set(node.number, node)
    this.#given = null
    const last = this.#sorted.at(-1)
    if (!last || last.number < node.number) this.#sorted.push(node)
    else this.#sorted.splice(byNumber(this.#sorted, node.number), before ? 1 : 0, node)
    if (before || node.parent === null) return
    const siblings = this.#children.get(node.parent)
    if (!siblings) this.#children.set(node.parent, [node.number])
    else siblings.push(node.number)
  }

  /** Says that candidates were put in since the last call. */
  changed(): void {
    this.#tell()
  }

  get(number: number): LineageNode | undefined {
    this.#watch()
    return this.#nodes.get(number)
  }

  get size(): number {
    this.#watch()
    return this.#nodes.size
  }

  /** All candidates, ascending by number. */
  get nodes(): readonly LineageNode[] {
    this.#watch()
    this.#given ??= [...this.#sorted]
    return this.#given
  }

  /** Numbers of the children, ascending. */
  children(number: number): readonly number[] {
    this.#watch()
    return [...(this.#children.get(number) ?? [])].sort((a, b) => a - b)
  }

  /** From the layer itself back to its root. */
  ancestry(number: number): LineageNode[] {
    this.#watch()
    const path: LineageNode[] = []
    const seen = new Set<number>()
    for (let at = this.#nodes.get(number); at && !seen.has(at.number);) {
      seen.add(at.number)
      path.push(at)
      at = at.parent === null ? undefined : this.#nodes.get(at.parent)
    }
    return path
  }

  /** Numbers of everything that descends from a layer. */
  descendants(number: number): Set<number> {
    this.#watch()
    const found = new Set<number>()
    const pending = [number]
    while (pending.length > 0)
      for (const child of this.#children.get(pending.pop()!) ?? [])
        if (!found.has(child)) {
          found.add(child)
          pending.push(child)
        }
    return found
  }
}

/**
 * Who was in the population when candidate `upTo` had come: the `capacity` most recent scored layers, one of each
 * function and at most `mostAlike` of a family. For the replay; the newest state comes from the program itself.
 */
export const aliveAt = (
  nodes: readonly LineageNode[],
  { population, mostAlike = 0 }: Pick<EvolutionConfig, 'population' | 'mostAlike'>,
  upTo: number,
): Set<number> => {
  const window: { number: number; original: number; family: string }[] = []
  const families = new Map<number, string | null>(nodes.map(({ number, family }) => [number, family]))
  for (const { number, role, average, duplicateOf } of nodes) {
    if (number > upTo) break
    const original = duplicateOf ?? number
    if (role !== 'candidate' || average === null || window.some((other) => other.original === original))
      continue
    const family = families.get(original) ?? String(original)
    const alike = window.filter((other) => other.family === family)
    const leaves =
      mostAlike > 0 && alike.length >= mostAlike ? alike[0]! : window.length >= population ? window[0]! : null
    if (leaves) window.splice(window.indexOf(leaves), 1)
    window.push({ number, original, family })
  }
  return new Set(window.map(({ number }) => number))
}

/** What a candidate came to, as one word: the kinds that colours, lanes and filters speak of. */
export const OUTCOMES = [
  'scored',
  'duplicate',
  'static',
  'quality',
  'stability',
  'failed',
  'pending',
] as const
export type Outcome = (typeof OUTCOMES)[number]

export const outcome = (node: Pick<LineageNode, 'status' | 'rejected'>): Outcome => {
  if (node.status === 'rejected') return node.rejected ?? 'failed'
  if (node.status === 'queued' || node.status === 'running') return 'pending'
  return node.status
}

export const OUTCOME_LABELS: Readonly<Record<Outcome, string>> = {
  scored: 'Scored',
  duplicate: 'Duplicate',
  static: 'Static',
  quality: 'Quality',
  stability: 'Stability',
  failed: 'Failed',
  pending: 'In work',
}

export const OUTCOME_HELP: Readonly<Record<Outcome, string>> = {
  scored: 'trained on every architecture',
  duplicate: 'the same function as an earlier layer, whose result it takes',
  static: 'ruled out before any training: not finite, or without dependence on x',
  quality: 'too little accuracy after the first steps',
  stability: 'the gradient norm blew up in the adversarial test',
  failed: 'the worker crashed, hung or ran out of memory',
  pending: 'queued or in training',
}
