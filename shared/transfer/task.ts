import type { DataReport } from '../data.ts'
import type { PresetName } from '../records.ts'
import type { Measure } from './records.ts'

/** A transfer task as the workbench shows it; `Config` is the task's own. */
export type Task<Config> = {
  readonly label: string
  readonly help: string
  readonly source: string
  /** In the order of the table; the first one is what layers are ranked by. */
  readonly measures: Readonly<Record<string, Measure>>
  /** Names and labels of the losses of a curve. */
  readonly losses: Readonly<Record<string, string>>
  readonly dataSets: Readonly<
    Record<string, { readonly label: string; readonly help: string; readonly needsPath: boolean }>
  >
  readonly presets: Readonly<
    Record<PresetName, { readonly label: string; readonly help: string; readonly config: Config }>
  >
  /** The numbers that scale with the machine, in words: what differs from the paper preset is said beside results. */
  readonly scale: readonly {
    readonly label: string
    /** `data`: what a run was trained and measured on, once one has told. */
    readonly of: (config: Config, data?: DataReport) => string
  }[]
  /** Where even the paper preset departs from the paper. */
  readonly departures: (config: Config) => readonly string[]
  /** Raised when the maths is changed so that figures of before can't be compared with those of now. */
  readonly version: number
  /** One run on one core, before anything was measured: a rule of thumb. */
  readonly roughSeconds: (config: Config) => number
}

/** What is scaled down against the paper, a sentence each. */
export const scaledDown = <Config>(task: Task<Config>, config: Config, data?: DataReport): string[] => [
  ...task.scale.flatMap(({ label, of }) => {
    const [here, paper] = [of(config, data), of(task.presets.paper.config)]
    return here === paper ? [] : [`${label}: ${here}; in the paper ${paper}`]
  }),
  ...task.departures(config),
]
