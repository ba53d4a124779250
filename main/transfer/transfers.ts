/** Puts layers to other tasks: what the contract asks about transfers, for every host and the command line. */
import { ContractError } from '../../shared/contract.ts'
import type { DataReport } from '../../shared/data.ts'
import { needsFiles, type PromotedLayer, type Promotion, type TransferConfig } from '../../shared/transfer.ts'
import type {
  LayerReference,
  TransferDetail,
  TransferPrediction,
  TransferSummary,
} from '../../shared/transfer/contract.ts'
import type { Unreadable } from '../../shared/records/unreadable.ts'
import type { Database } from '../store/database.ts'
import {
  addPromotion,
  cancelPromotion,
  findPromotion,
  getPromotion,
  removePromotion,
  requeuePromotion,
  setPromotion,
} from '../store/promotions.ts'
import { paces } from '../store/runs.ts'
import type { Pool } from '../workers/pool.ts'
import { predictTransfer } from './estimate.ts'
import { transferFolders } from './folders.ts'
import { lineUp, resolveLayer, runsOfPlan, type LineUp } from './layers.ts'
import { Queue } from './queue.ts'
import { share } from './share.ts'
import { transferDetail, transferList, transferSummary, type Room } from './summary.ts'

export type TransfersOptions = {
  readonly db: Database
  readonly pool: Pick<Pool, 'transfer' | 'checkTransfer' | 'facts' | 'count'>
  readonly dataFolder: string
  /** The searches at work in this process, which want their part of the workers. */
  readonly searches: () => readonly string[]
  readonly made: () => Readonly<Record<string, string>>
}

/** What can't be done as asked is a ContractError. */
export type Transfers = {
  /** Newest first. */
  list(): (TransferSummary | Unreadable)[]
  get(id: string): TransferDetail
  predict(config: TransferConfig): TransferPrediction
  /**
   * Queued once a worker has looked at the user's files, where there are any, or where `tell` wants to hear of the data.
   * `existing`: the layer was promoted already under the same protocol, and that one is given.
   */
  promote(
    layer: LayerReference,
    config: TransferConfig,
    tell?: (inspected: Promise<DataReport>) => Promise<unknown>,
  ): Promise<{ readonly summary: TransferSummary; readonly existing: boolean }>
  /** As if it had never been made. */
  undo(id: string): void
  cancel(id: string): TransferSummary
  pause(id: string): TransferSummary
  resume(id: string): TransferSummary
  picture(run: string, name: string): Buffer
  /** Ends all work; what was in line goes on at the next start. */
  close(): Promise<void>
}

export const createTransfers = ({ db, pool, dataFolder, searches, made }: TransfersOptions): Transfers => {
  const folders = transferFolders(dataFolder)
  const room = (): Room => {
    const [search = null] = searches()
    const gpu = pool.facts()['device'] === 'GPU'
    return { runs: share({ workers: pool.count, searching: search !== null, gpu }), search }
  }
  const queue = new Queue({ db, pool, folders, room: () => room().runs })
  queue.wake()

  const find = (id: string): Promotion => {
    const promotion = getPromotion(db, id)
    if (!promotion) throw new ContractError('missing', `there is no promotion "${id}"`)
    return promotion
  }
  const summary = (id: string): TransferSummary => transferSummary(db, id, room())!
  const requireState = (id: string, states: readonly Promotion['state'][], what: string): void => {
    const { state } = find(id)
    if (!states.includes(state)) throw new ContractError('conflict', `promotion ${id} is ${state}: ${what}`)
  }
  /** One look at the user's files: what the data hold, and whether what a network starts from fits each layer. */
  const inspect = (config: TransferConfig, layers: readonly LineUp[]): Promise<DataReport> =>
    pool.checkTransfer({ config, layers: layers.map(({ label, graph }) => ({ label, graph })) })
  /** The folders of runs that are gone; the queue sees to those under way. */
  const clear = (runs: readonly string[]): void => {
    for (const run of runs) if (!queue.has(run)) folders.remove(run)
    queue.wake()
  }

  return {
    list: () => transferList(db, room()),
    get: (id) => {
      find(id)
      return transferDetail(db, folders, id, room())!
    },
    predict: (config) => {
      const runs = config.seeds * (1 + config.baselines.length)
      return predictTransfer(config, runs, Math.max(1, room().runs), paces(db))
    },
    promote: async (reference, config, tell) => {
      const layer = resolveLayer(db, reference)
      const layers = layersOf(layer, config)
      // What is embedded can't be missing.
      if (tell || needsFiles(config)) await (tell ?? requireUsable)(inspect(config, layers))
      const existing = findPromotion(db, layer.fingerprint, config)
      if (existing) return { summary: summary(existing.id), existing: true }
      const runs = runsOfPlan(layers, config)
      const { id } = addPromotion(db, { layer, config, made: made(), runs })
      queue.wake()
      return { summary: summary(id), existing: false }
    },
    undo: (id) => {
      find(id)
      clear(removePromotion(db, id))
    },
    cancel: (id) => {
      requireState(id, ['queued', 'running', 'paused', 'failed'], 'there is nothing to cancel')
      clear(cancelPromotion(db, id))
      return summary(id)
    },
    pause: (id) => {
      requireState(id, ['queued', 'running'], 'only what is in line can be paused')
      setPromotion(db, id, 'paused')
      queue.wake()
      return summary(id)
    },
    resume: (id) => {
      requireState(id, ['paused', 'failed', 'cancelled'], 'there is nothing to resume')
      requeuePromotion(db, id)
      queue.wake()
      return summary(id)
    },
    picture: (run, name) => folders.picture(run, name),
    close: () => queue.close(),
  }
}

/** Data that have to be asked about are not used. */
const requireUsable = async (inspected: Promise<DataReport>): Promise<void> => {
  const { question } = await inspected.catch((error: Error) => {
    throw new ContractError('invalid', error.message)
  })
  if (question !== null) throw new ContractError('invalid', question)
}

const layersOf = (layer: PromotedLayer, config: TransferConfig): LineUp[] => {
  try {
    return lineUp(layer, config)
  } catch (error) {
    throw new ContractError('invalid', `baselines: ${(error as Error).message}`)
  }
}
