/** Verifies a found layer: the search's own task on images that no search saw, longer and with several seeds. */
import type { Command } from 'commander'
import { transferConfigSchema, type TransferConfig } from '../../shared/transfer.ts'
import { verificationOf } from '../../shared/transfer/verification.ts'
import { getSearch } from '../store/searches.ts'
import { tellData } from './data.ts'
import { UserError } from './errors.ts'
import { followTransfer } from './follow-transfer.ts'
import { layerReference } from './layer.ts'
import { dataFolderOption, jsonOption, seedOption, setOption, wholeNumber, workerOptions } from './options.ts'
import { openSession, type SessionOptions } from './session.ts'
import { applySettings } from './settings.ts'

type Options = SessionOptions & {
  readonly steps?: number
  readonly seeds?: number
  readonly seed?: number
  readonly set: readonly string[]
  readonly json?: boolean
}

const verify = async (given: string, options: Options): Promise<number> => {
  const session = await openSession(options)
  try {
    const layer = layerReference(given, () => session.db)
    if (!('search' in layer))
      throw new UserError(
        `verify: needs a layer of a search as <search>:<number>, got "${given}"; others: transfer --task verification`,
      )
    const chosen = verificationOf(getSearch(session.db, layer.search)!.config)
    const config = applySettings<TransferConfig>(
      {
        ...chosen,
        training: { ...chosen.training, steps: options.steps ?? chosen.training.steps },
        seeds: options.seeds ?? chosen.seeds,
        seed: options.seed ?? chosen.seed,
      },
      options.set,
      transferConfigSchema,
    )
    const transfers = session.transfers()
    const { summary, existing } = await transfers.promote(layer, config, tellData)
    const { id, state } = summary.promotion
    if (existing && (state === 'paused' || state === 'failed')) transfers.resume(id)
    return await followTransfer(session, id, options.json ?? false)
  } finally {
    await session.close()
  }
}

export const addVerify = (program: Command): void => {
  const command = program
    .command('verify')
    .description(
      'train a found layer and the baselines from scratch, ten times as long as the search did and with three seeds, ' +
        'and measure them on images that no search sees',
    )
    .argument('<layer>', '<search>:<number>')
  for (const [flags, what] of [
    ['--steps <n>', "training steps (default: ten times the search's)"],
    ['--seeds <n>', 'seeds of each layer (default: 3)'],
  ] as const)
    command.option(flags, what, wholeNumber(1))
  command.addOption(seedOption()).addOption(setOption())
  for (const option of [...workerOptions(), dataFolderOption(), jsonOption()]) command.addOption(option)
  command.action(async (layer: string, options: Options) => {
    process.exitCode = await verify(layer, options)
  })
}
