/** What a search should choose on a GPU, from what was measured there. */

/** One network with one layer, trained in one way by some workers at once. */
export type GpuRow = {
  readonly network: string
  readonly layer: string
  readonly who: 'engine' | 'PyTorch' | 'torch.compile'
  readonly xla: boolean
  readonly bfloat16: boolean
  readonly workers: number
  /** Until the last worker has made its first step. */
  readonly firstSeconds: number
  /** Steps a second of all workers together. */
  readonly stepsPerSecond: number
  /** Memory of the GPU in use, above what was before; null where the driver doesn't tell. */
  readonly gpuBytes: number | null
}

/** Trainings of so many steps that a way finishes in an hour, the first step of each counted. */
export const trainingsAnHour = ({ workers, firstSeconds, stepsPerSecond }: GpuRow, steps: number): number =>
  (3600 * workers) / (firstSeconds + (steps * workers) / stepsPerSecond)

type Way = Pick<GpuRow, 'xla' | 'bfloat16' | 'workers'>
export type Choice = Way & {
  /** Trainings an hour of the networks and layers, each as often, by this way and by one worker with nothing asked for. */
  readonly anHour: number
  readonly plain: number
}

const isWay =
  ({ xla, bfloat16, workers }: Way) =>
  (row: GpuRow): boolean =>
    row.who === 'engine' && row.xla === xla && row.bfloat16 === bfloat16 && row.workers === workers

/** Each network with each layer trained as often: hours add up, so that the mean of rates is the harmonic one. */
const together = (rows: readonly GpuRow[], steps: number): number =>
  rows.length / rows.reduce((hours, row) => hours + 1 / trainingsAnHour(row, steps), 0)

/** The way that finishes most trainings of so many steps; `bfloat16` changes numbers, so that it is chosen apart. */
export const chosen = (rows: readonly GpuRow[], steps: number, bfloat16: boolean): Choice | null => {
  const ways = rows.filter(({ who, bfloat16: has }) => who === 'engine' && (bfloat16 || !has))
  const plain = rows.filter(isWay({ xla: false, bfloat16: false, workers: 1 }))
  const choices = ways.map(({ xla, bfloat16, workers }) => {
    const way = { xla, bfloat16, workers }
    return { ...way, anHour: together(rows.filter(isWay(way)), steps), plain: together(plain, steps) }
  })
  return choices.reduce<Choice | null>(
    (best, choice) => (best === null || choice.anHour > best.anHour ? choice : best),
    null,
  )
}

export const describeChoice = ({ xla, bfloat16, workers, anHour, plain }: Choice): string =>
  `--workers ${workers}${xla ? ' --xla' : ''}${bfloat16 ? ' --mixed-precision' : ''}: ` +
  `${anHour.toFixed(0)} trainings an hour, ${(anHour / plain).toFixed(2)} of one worker's`
