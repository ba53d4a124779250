/** The command that repeats a run: the same layer, numbers and seed, on the command line. */
import { KNOWN } from '../../shared/known.ts'
import { EXPORTS } from '../../shared/export/index.ts'
import {
  transferPreset,
  type PromotedLayer,
  type Promotion,
  type TransferConfig,
} from '../../shared/transfer.ts'

const quoted = (text: string): string =>
  /^[\w./:,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** A candidate by its search and number, a known layer by name, any other by the file its export is saved as. */
const layerText = ({ from, label }: PromotedLayer): string => {
  if (KNOWN.some(({ name }) => name === label)) return label
  return from.kind === 'candidate' ? `${from.search}:${from.number}` : EXPORTS.json.fileName(label)
}

/** Numbers that differ from the preset's, as `path=value`. */
const changed = (value: unknown, preset: unknown, path = ''): string[] => {
  if (value === undefined || JSON.stringify(value) === JSON.stringify(preset)) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`]
  const before = (preset ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(value).flatMap(([key, each]) =>
    changed(each, before[key], path ? `${path}.${key}` : key),
  )
}

/** `run`: the layer by its label in the comparison, and the seed. */
export const reproduceCommand = (
  { layer, config }: Pick<Promotion, 'layer' | 'config'>,
  run: { readonly label: string; readonly role: 'layer' | 'baseline'; readonly seed: number },
): string => {
  const { data, ...numbers } = config
  const preset: TransferConfig = transferPreset(config.task, config.preset)
  const { path, kind, ...dataNumbers } = data
  const settings = changed(
    { ...numbers, data: dataNumbers, seed: preset.seed, seeds: 1, baselines: [] },
    preset,
  )
  return [
    'npm run cli -- transfer',
    `--layer ${quoted(run.role === 'layer' ? layerText(layer) : run.label)}`,
    `--task ${config.task} --preset ${config.preset}`,
    `--data ${quoted(path ?? kind)} --seed ${run.seed}`,
    ...settings.map((setting) => `--set ${quoted(setting)}`),
  ].join(' ')
}
