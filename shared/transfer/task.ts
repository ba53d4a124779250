import type { DataSetEntry } from '../catalog.ts'
import type { DataReport } from '../data.ts'
import type { PresetName } from '../records.ts'
import type { Measure } from './records.ts'

/** A data set as a task uses it. */
export type TaskData = Pick<DataSetEntry, 'label' | 'help' | 'needsPath'> & {
  /** The label where several stand side by side, if it is too long for that. */
  readonly short?: string
  /** The only side that its images have, in pixels; absent where any will do. */
  readonly side?: number | null
  /** What it is in a run's protocol, and where that departs from what the paper trained on. */
  readonly inProtocol?: { readonly name: string; readonly departure?: string }
}

/** Pictures that a run makes as it is measured: `<kind>-<step>.png` in its folder. */
export type TaskPictures = {
  readonly kind: string
  readonly title: string
  readonly note: string
  /** Grids of small images, which need less room than scenes. */
  readonly small: boolean
}

/** A transfer task as the workbench shows it; `Config` is the task's own. */
export type Task<Config> = {
  readonly label: string
  /** The label where several tasks stand side by side. */
  readonly short: string
  /** What its images are called. */
  readonly images: string
  /** Whether layers are promoted to it on the page; if not, it is asked for in a place of its own. */
  readonly promoted: boolean
  /** What a layer is judged by against each baseline: the first measure, or each of them. */
  readonly judgedBy: 'first' | 'all'
  /** Measures whose labels begin with one of these words are a table of their own, under the title given. */
  readonly tables?: Readonly<Record<string, string>>
  /** Names of the files under `network` that a config may have: weights to start from, a network to be judged by. */
  readonly files: readonly string[]
  readonly pictures: TaskPictures | null
  /** What its measures are taken with, where they mean nothing without that. */
  readonly measuredWith?: (config: Config) => { readonly short: string; readonly text: string }
  readonly help: string
  readonly source: string
  /** In the order of the table; the first one is what layers are ranked by. */
  readonly measures: Readonly<Record<string, Measure>>
  /** Names and labels of the losses of a curve. */
  readonly losses: Readonly<Record<string, string>>
  readonly dataSets: Readonly<Record<string, TaskData>>
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

/** Where a data set departs from what the paper trained on. */
export const dataDepartures = <Config>({ dataSets }: Task<Config>, kind: string): string[] => {
  const departure = dataSets[kind]?.inProtocol?.departure
  return departure === undefined ? [] : [departure]
}

/** A data set's name in a run's protocol. */
export const dataName = <Config>({ dataSets }: Task<Config>, kind: string): string =>
  dataSets[kind]?.inProtocol?.name ?? dataSets[kind]?.label ?? kind
