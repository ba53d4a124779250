import { EVOLVED, type Width } from './cases.ts'
import type { Measured, Row } from './steps.ts'

/** A figure that has to be reached; null where it was not measured. */
export type Bar = {
  readonly what: string
  readonly bar: number
  readonly atLeast?: boolean
  readonly measured: number | null
  readonly unit: '' | 's'
}

/** The contestant that runs each case's limit (limitOf). */
export const LIMIT = 'limit'

/** The figures that the engine has to reach, from what was measured; the worst where there are several. */
export const barsOf = (rows: readonly Row[], width: Width): Bar[] => {
  const worst = (
    what: string,
    bar: number,
    chosen: (row: Row) => boolean,
    figure: (engine: Measured, row: Row) => number | null | undefined,
    unit: Bar['unit'] = '',
  ): Bar => {
    const figures = rows.filter(chosen).map((row) => figure(row.results.engine!, row))
    const known = figures.filter((value) => typeof value === 'number')
    return { what, bar, measured: known.length > 0 ? Math.max(...known) : null, unit }
  }
  const against =
    (peer: string) =>
    (engine: Measured, row: Row): number | null =>
      row.results[peer] ? engine.stepMs / row.results[peer].stepMs : null
  const is =
    (network: string, ...layers: string[]) =>
    ({ case: given }: Row): boolean =>
      given.network === network && layers.includes(given.layer)
  const all = (): boolean => true
  const bnRelu = (network: string): Measured | undefined => rows.find(is(network, 'BN-ReLU'))?.results.PyTorch
  return [
    worst(
      'EvoNorm-B0, S0 ResNet step / PyTorch',
      0.55,
      is('resnet', 'EvoNorm-B0', 'EvoNorm-S0'),
      against('PyTorch'),
    ),
    worst(
      'EvoNorm-B0 ResNet step / torch.compile',
      0.9,
      is('resnet', 'EvoNorm-B0'),
      against('torch.compile'),
    ),
    worst('BN-ReLU ResNet step / PyTorch', 1.05, is('resnet', 'BN-ReLU'), against('PyTorch')),
    worst('BN-ReLU ResNet step / limit', 1.1, is('resnet', 'BN-ReLU'), against(LIMIT)),
    worst(
      'EvoNorm-B0, S0 ResNet step / limit',
      1.2,
      is('resnet', 'EvoNorm-B0', 'EvoNorm-S0'),
      against(LIMIT),
    ),
    worst('MobileNetV2 EvoNorm-B0 step / PyTorch', 0.8, is('mobilenetv2', 'EvoNorm-B0'), against('PyTorch')),
    worst(
      'EfficientNet EvoNorm-B0 step / PyTorch',
      0.8,
      is('efficientnet', 'EvoNorm-B0'),
      against('PyTorch'),
    ),
    worst('ten fixed graphs, worst step / PyTorch', 0.8, is('resnet', ...EVOLVED), against('PyTorch')),
    worst('every step / TensorFlow.js eager', 0.4, all, against('tfjs eager')),
    worst('warm-up', width === 'demo' ? 0.6 : 1.5, all, (engine) => engine.warmupSeconds, 's'),
    worst('peak memory / BN-ReLU in PyTorch', 1.2, all, (engine, { case: given }) => {
      const peak = bnRelu(given.network)?.peakBytes
      return peak ? engine.peakBytes / peak : null
    }),
  ]
}

export const isReached = ({ bar, atLeast, measured }: Bar): boolean | null =>
  measured === null ? null : atLeast ? measured >= bar : measured <= bar
