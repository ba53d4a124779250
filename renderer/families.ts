import type { LineageNode } from '../shared/contract.ts'

/** Layers that start training as one function (shared/identity), as the population holds them. */
export type LayerFamily = {
  readonly name: string
  readonly trained: number
  readonly alive: number
  /** The best of them by average score; null while none has one. */
  readonly best: { readonly number: number; readonly average: number } | null
}

/** Families with members alive, the largest first; of equal ones the better. */
export const families = (nodes: readonly LineageNode[]): LayerFamily[] => {
  const names = new Map<number, string>()
  for (const { number, family } of nodes) if (family !== null) names.set(number, family)
  const found = new Map<string, { trained: number; alive: number; best: LayerFamily['best'] }>()
  for (const { number, role, duplicateOf, family, average, alive } of nodes) {
    const name = names.get(duplicateOf ?? number)
    if (role !== 'candidate' || name === undefined) continue
    const known = found.get(name) ?? { trained: 0, alive: 0, best: null }
    if (family !== null) known.trained++
    if (alive) known.alive++
    if (average !== null && average > (known.best?.average ?? -1)) known.best = { number, average }
    found.set(name, known)
  }
  return [...found]
    .map(([name, counts]) => ({ name, ...counts }))
    .filter(({ alive }) => alive > 0)
    .sort((a, b) => b.alive - a.alive || (b.best?.average ?? 0) - (a.best?.average ?? 0))
}
