import type { ExportTarget } from '../../shared/export/index.ts'
import type { Graph } from '../../shared/graph.ts'

export type ExportedLayer = {
  readonly graph: Graph
  readonly label: string
  readonly target: ExportTarget
}

/** The layer whose source text is looked at, to be taken elsewhere. */
export class Exporting {
  layer = $state.raw<ExportedLayer | null>(null)
}
