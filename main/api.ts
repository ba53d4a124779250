/** Answers each request of the contract, for every host: the browser host and Electron call exactly this. */
import { z } from 'zod'
import {
  ContractError,
  REQUESTS,
  type AppInfo,
  type Argument,
  type ReplyFrame,
  type RequestName,
  type Replies,
} from '../shared/contract.ts'
import type { DataReport } from '../shared/data.ts'
import { DATA_SETS } from '../shared/catalog.ts'
import type { SearchConfig } from '../shared/records.ts'
import { createFeed, type Feed } from './feed.ts'
import { predict } from './search/predict.ts'
import type { Runner } from './search/runner.ts'
import { examine } from './setup/doctor.mjs'
import type { Database } from './store/database.ts'
import { newestSeq } from './store/events.ts'
import { defaultDataFolder } from './store/folder.ts'
import { candidateDetail, candidatePage, lineage, recentTrainings } from './store/reading.ts'
import { type Address } from './remote/address.ts'
import { createRemotePool } from './remote/host.ts'
import { getSearch, keyOf, listSearches } from './store/searches.ts'
import { searchSummaries, summaryOf } from './summary.ts'
import { version } from './versions.ts'
import type { Limits } from './workers/limits.ts'
import { logsIn } from './workers/log.ts'
import { openPool } from './workers/open.ts'
import type { PoolOptions } from './workers/pool.ts'
import { ENGINE, evaluatorModule, openWorkshop } from './workshop.ts'

export type ApiOptions = {
  readonly host: AppInfo['host']
  readonly dataFolder?: string | undefined
  /** Redis, where the workers are on other machines. */
  readonly remote?: Address | undefined
  /** Worker processes, and threads of each; where neither is given, as many as are quickest here. */
  readonly workers?: number | undefined
  readonly threads?: number | undefined
  /** What else workers are told. */
  readonly options?: PoolOptions['options']
  readonly spawn?: PoolOptions['spawn']
  /** Path of another evaluator module than the engine's. */
  readonly evaluator?: string | undefined
  readonly limits?: Partial<Limits> | undefined
  /** The port on which Node's inspector listens for one worker. */
  readonly inspectWorker?: number | undefined
}

/** `request` takes whatever a page sent, and always resolves: what went wrong is in the reply. */
export type Api = {
  request(frame: unknown): Promise<ReplyFrame>
  readonly subscribe: Feed['subscribe']
  /** Ends all work; searches that were running go on at the next start. */
  close(): Promise<void>
}

type Handlers = {
  readonly [N in RequestName]: (argument: Argument<N>) => Replies[N] | Promise<Replies[N]>
}

export const createApi = (options: ApiOptions): Api => {
  const dataFolder = options.dataFolder ?? defaultDataFolder()
  const { evaluator = evaluatorModule(), workers, threads } = options
  const workshop = openWorkshop(dataFolder, () =>
    options.remote
      ? createRemotePool({
          address: options.remote,
          local: openPool({
            ...options,
            workers: 1,
            evaluator,
            measure: false,
            logFolder: logsIn(dataFolder),
          }),
          note: (text) => process.emitWarning(text),
        })
      : openPool({ ...options, evaluator, measure: evaluator === ENGINE, logFolder: logsIn(dataFolder) }),
  )
  const { db, pool, runner } = workshop
  const transfers = workshop.transfers()
  const feed = createFeed(db, pool)
  runner.onUnwritten(feed.tellAgain)

  const keyOfKnown = (id: string): number => {
    if (!getSearch(db, id)) throw new ContractError('missing', `there is no search "${id}"`)
    return keyOf(db, id)
  }
  const summary = (id: string): Replies['searches.get'] => {
    keyOfKnown(id)
    return summaryOf(db, runner.asEnded(getSearch(db, id)!), pool.count)
  }
  /** Data that have to be asked about are not used. */
  const settled = async (checked: Promise<DataReport>): Promise<DataReport> => {
    const report = await refuse(checked)
    if (report.question !== null) throw new ContractError('invalid', report.question)
    return report
  }

  /** Many machines are kept at work by taking results as they come. */
  const withOrder = (config: SearchConfig): SearchConfig =>
    options.remote ? { ...config, evolution: { asynchronous: true, ...config.evolution } } : config

  const handlers: Handlers = {
    'app.info': async () => ({
      version,
      host: options.host,
      dataFolder,
      seq: newestSeq(db),
      facts: await examine(dataFolder, false, { workers, threads }),
    }),
    'data.check': ({ data }) => refuse(pool.check(data)),
    'searches.list': () => searchSummaries(db, pool.count, runner.asEnded),
    'searches.predict': ({ config }) => predict(config, pool.count, recentTrainings(db)),
    'searches.create': async ({ name, config }) => {
      // The embedded images can't be missing: its search starts at once.
      const data = !DATA_SETS[config.data.kind].needsPath ? undefined : await settled(pool.check(config.data))
      return summary(runner.create({ name, config: withOrder(config), data }).id)
    },
    'searches.get': ({ id }) => summary(id),
    'searches.pause': async ({ id }) => {
      await runner.pause(id)
      return summary(id)
    },
    'searches.resume': ({ id }) => {
      runner.resume(id)
      return summary(id)
    },
    'searches.stop': async ({ id }) => {
      await runner.stop(id)
      return summary(id)
    },
    'searches.insert': ({ id, graph, note }) => runner.insert(id, graph, note),
    'searches.lineage': ({ id, after, limit }) => lineage(db, keyOfKnown(id), after, limit),
    'candidates.list': ({ id, ...page }) => candidatePage(db, keyOfKnown(id), page),
    'candidates.get': ({ id, number }) => {
      const detail = candidateDetail(db, keyOfKnown(id), number)
      if (!detail) throw new ContractError('missing', `search "${id}" has no candidate ${number}`)
      return detail
    },
    'workers.list': () => pool.status(),
    'transfers.list': () => transfers.list(),
    'transfers.get': ({ id }) => transfers.get(id),
    'transfers.check': ({ config }) => refuse(pool.checkTransfer({ config, layers: [] })),
    'transfers.predict': ({ config }) => transfers.predict(config),
    'transfers.promote': ({ layer, config }) => transfers.promote(layer, config),
    'transfers.undo': ({ id }) => {
      transfers.undo(id)
      return { id }
    },
    'transfers.cancel': ({ id }) => transfers.cancel(id),
    'transfers.pause': ({ id }) => transfers.pause(id),
    'transfers.resume': ({ id }) => transfers.resume(id),
    'transfers.picture': ({ run, name }) => ({ base64: transfers.picture(run, name).toString('base64') }),
  }
  resumeLeft(db, runner)

  return {
    request: (frame) => answer(handlers, frame),
    subscribe: feed.subscribe,
    close: async () => {
      feed.close()
      await workshop.close()
    },
  }
}

/** What can't be used is the user's to put right. */
const refuse = <T>(checked: Promise<T>): Promise<T> =>
  checked.catch((error: Error) => {
    throw new ContractError('invalid', error.message)
  })

/** Goes on with what was running when the program ended; a search that another process runs is only watched. */
const resumeLeft = (db: Database, runner: Runner): void => {
  for (const { id } of listSearches(db).filter(({ state }) => state === 'running'))
    try {
      runner.resume(id)
    } catch (error) {
      if (!(error instanceof ContractError && error.code === 'conflict')) throw error
    }
}

/** What was asked may stand in a message, at any length. */
const LONGEST_MESSAGE = 2000

const frameSchema = z.object({ id: z.int().min(0), name: z.string(), argument: z.unknown() })

const answer = async (handlers: Handlers, frame: unknown): Promise<ReplyFrame> => {
  const parsed = frameSchema.safeParse(frame)
  if (!parsed.success)
    return { id: 0, ok: false, code: 'invalid', message: 'a request needs an id, a name and an argument' }
  const { id, name, argument } = parsed.data
  try {
    if (!isRequest(name)) throw new ContractError('invalid', `there is no request "${name}"`)
    return { id, ok: true, value: await call(handlers, name, argument) }
  } catch (error) {
    const code = error instanceof ContractError ? error.code : 'internal'
    if (code === 'internal') console.error(error)
    const message = error instanceof Error ? error.message : String(error)
    return { id, ok: false, code, message: message.slice(0, LONGEST_MESSAGE) }
  }
}

const isRequest = (name: string): name is RequestName => Object.hasOwn(REQUESTS, name)

const call = <N extends RequestName>(handlers: Handlers, name: N, argument: unknown): unknown => {
  const parsed = REQUESTS[name].safeParse(argument)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw new ContractError('invalid', `${name}: ${path.join('.') || 'argument'}: ${message}`)
  }
  return handlers[name](parsed.data as Argument<N>)
}
