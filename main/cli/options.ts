/** Options that several commands share. */
import { InvalidArgumentError, Option } from 'commander'
import type { Xla } from '../workers/protocol.ts'
import { userPath } from '../caller.ts'
import { PRESETS } from '../../shared/catalog.ts'

export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) < least)
      throw new InvalidArgumentError(`needs a whole number of at least ${least}.`)
    if (Number(text) > most) throw new InvalidArgumentError(`needs a whole number of at most ${most}.`)
    return Number(text)
  }
/** No machine is quicker with more, and every one has an end. */
const MOST_WORKERS = 256
const MOST_THREADS = 1024

/** A factor of channels or blocks. */
export const factor = (text: string): number => {
  const value = Number(text)
  if (!(value >= 0.05 && value <= 4)) throw new InvalidArgumentError('needs a number from 0.05 to 4.')
  return value
}

export const presetOption = (): Option =>
  new Option('--preset <name>', 'where the settings come from').choices(Object.keys(PRESETS)).default('demo')

export const layerOption = (): Option =>
  new Option(
    '--layer <layer>',
    'the name of a known layer, <search>:<number> for one that a search found, or a JSON file',
  ).makeOptionMandatory()

export const seedOption = (): Option =>
  new Option('--seed <n>', 'what chance starts from').argParser(wholeNumber(0))

export const setOption = (): Option =>
  new Option('--set <key=value>', 'changes one setting, for example training.steps=100; as often as needed')
    .argParser((value: string, before: string[]) => [...before, value])
    .default([], 'none')

export const redisOptions = (): Option[] => [
  new Option(
    '--redis <url>',
    'work through Redis on other machines: redis://[user:password@]host[:port], rediss:// for TLS',
  ).env('NORMFORGE_REDIS'),
  new Option(
    '--redis-ca <file>',
    "certificate of the authority that signed Redis's, where that is not a public one",
  ).env('NORMFORGE_REDIS_CA'),
]

export const localOptions = (): Option[] => [
  new Option('--workers <n>', 'worker processes (default: as measured at the first search)').argParser(
    wholeNumber(1, MOST_WORKERS),
  ),
  new Option('--threads <n>', 'threads of each').argParser(wholeNumber(1, MOST_THREADS)),
  new Option(
    '--mixed-precision',
    'convolutions and matrix products in bfloat16, for GPUs that have units for it (tested on processors only)',
  ),
  new Option(
    '--xla <which>',
    'networks that XLA compiles; measured: where "npm run bench -- tune" found that it pays (tested on processors only)',
  ).choices(['never', 'measured', 'always'] satisfies Xla[]),
  new Option('--inspect-worker [port]', "starts one worker under Node's inspector, and says where it listens")
    .argParser(wholeNumber(0, 65_535))
    .preset('9229'),
]

/** Where and how work is done. */
export const workerOptions = (): Option[] => [...localOptions(), ...redisOptions()]

export const dataFolderOption = (): Option =>
  new Option(
    '--data-folder <dir>',
    "where searches are kept (default: NORMFORGE_DATA, else the user's data)",
  ).argParser((given) => (given.trim() === '' ? given : userPath(given)))

export const jsonOption = (): Option => new Option('--json', 'one JSON object on stdout')
