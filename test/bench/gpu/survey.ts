import type { CaseResult } from './child.ts'
import { placed, type Placement } from './placement.ts'
import type { Registry } from './registry.ts'

export type Surveyed = { readonly name: string; readonly launches: readonly number[] }
export type Survey = {
  readonly cases: readonly Surveyed[]
} & Readonly<Record<Kind, ReadonlyMap<string, number>>>
type Kind = Exclude<keyof Placement, 'launches'>
const KINDS: readonly Kind[] = ['missing', 'pinned', 'waits', 'onHost']

/** What all runs of all cases would be on a GPU. The runs of a case are given by what they launch, largest first. */
export const surveyed = (results: readonly CaseResult[], registry: Registry): Survey => {
  const totals = Object.fromEntries(KINDS.map((kind) => [kind, new Map<string, number>()])) as Record<
    Kind,
    Map<string, number>
  >
  const cases = results.map(({ name, runs }) => {
    const places = runs.map(({ nodes }) => placed(nodes, registry))
    for (const place of places)
      for (const kind of KINDS)
        for (const [what, count] of place[kind]) totals[kind].set(what, (totals[kind].get(what) ?? 0) + count)
    // Runs that only set or read variables launch a few.
    const launches = places.map(({ launches }) => launches).sort((a, b) => b - a)
    return { name, launches }
  })
  return { cases, ...totals }
}

const WORDS: Readonly<Record<Kind, string>> = {
  missing: 'without a kernel for a GPU, so computed by the processor',
  pinned: 'tied to a device by the graph itself',
  waits: "computed on the GPU and waited for in the host's memory within a run",
  onHost: "computed in the host's memory by their kernel for a GPU (shapes, indices)",
}

export const describeSurvey = (survey: Survey): string =>
  KINDS.map((kind) => {
    const found = [...survey[kind]].sort((a, b) => b[1] - a[1])
    const lines = found.map(([what, count]) => `  ${String(count).padStart(5)} × ${what}`)
    return [`${found.length === 0 ? 'nothing' : found.length} ${WORDS[kind]}`, ...lines].join('\n')
  }).join('\n')

export const describeLaunches = ({ cases }: Survey): string =>
  [
    "kernels launched, by each recorded function of a case, before TensorFlow's own optimizer:",
    ...cases
      .filter(({ name }) => !/^(primitives|layers):/.test(name))
      .map(({ name, launches }) => `  ${name}: ${launches.join(', ')}`),
  ].join('\n')
