import { randomBytes } from 'node:crypto'
import { MADE } from '../../shared/records/made.ts'
import { readable, type Unreadable } from '../../shared/records/unreadable.ts'
import {
  comparisonOf,
  protocolOf,
  TRANSFER_CONFIG,
  type PromotedLayer,
  type Promotion,
  type PromotionState,
  type TransferConfig,
} from '../../shared/transfer.ts'
import { PROMOTED_LAYER, promotionStateSchema } from '../../shared/transfer/records.ts'
import { numberOf, recordOf, text, textOrNull, wordOf, type Database, type Row } from './database.ts'
import { emitPromotion } from './events.ts'
import { readOr } from './read-or.ts'
import {
  addRun,
  forgetUnwanted,
  removeUnasked,
  retryFailed,
  runsOf,
  settlePromotion,
  type NewRun,
} from './runs.ts'

export type NewPromotion = {
  readonly layer: PromotedLayer
  readonly config: TransferConfig
  readonly made: Readonly<Record<string, string>>
  /** In the order in which they are to be done. */
  readonly runs: readonly NewRun[]
}

const promotionOf = (row: Row): Promotion => ({
  id: text(row, 'id'),
  layer: recordOf(row, 'layer', PROMOTED_LAYER),
  config: recordOf(row, 'config', TRANSFER_CONFIG),
  protocol: text(row, 'protocol'),
  state: wordOf(row, 'state', promotionStateSchema),
  failure: textOrNull(row, 'failure'),
  createdAt: text(row, 'created_at'),
  made: recordOf(row, 'made', MADE),
})

/** A new promotion, in line behind the others. Runs that are there already are shared; failed ones are tried again. */
export const addPromotion = (db: Database, { layer, config, made, runs }: NewPromotion): Promotion =>
  db.write(() => {
    const id = randomBytes(5).toString('hex')
    const reused = runs.filter((run) => addRun(db, run) === 'done').length
    db.run(
      'INSERT INTO promotions (id, fingerprint, comparison, protocol, layer, config, state, reused, created_at, made) ' +
        "VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?)",
      id,
      layer.fingerprint,
      comparisonOf(config),
      protocolOf(config),
      PROMOTED_LAYER.write(layer),
      TRANSFER_CONFIG.write(config),
      reused,
      new Date().toISOString(),
      MADE.write(made),
    )
    const key = promotionKey(db, id)
    for (const [position, run] of runs.entries())
      db.run('INSERT INTO promotion_runs (promotion, position, run) VALUES (?, ?, ?)', key, position, run.key)
    retryFailed(db, id)
    settlePromotion(db, id)
    emitPromotion(db, id)
    return getPromotion(db, id)!
  })

const promotionKey = (db: Database, id: string): number => {
  const row = db.get('SELECT key FROM promotions WHERE id = ?', id)
  if (!row) throw new Error(`store: needs the id of a promotion, got "${id}"`)
  return numberOf(row, 'key')
}

export const getPromotion = (db: Database, id: string): Promotion | null => {
  const row = db.get('SELECT * FROM promotions WHERE id = ?', id)
  return row ? promotionOf(row) : null
}

/** The promotion of a layer under a config, unless it was cancelled; null when there is none. */
export const findPromotion = (
  db: Database,
  fingerprint: string,
  config: TransferConfig,
): Promotion | null => {
  const row = db.get(
    "SELECT * FROM promotions WHERE fingerprint = ? AND comparison = ? AND state <> 'cancelled' ORDER BY key DESC",
    fingerprint,
    comparisonOf(config),
  )
  return row ? promotionOf(row) : null
}

/** In the order in which they were made; one that can't be read stands in its place. */
export const readPromotions = (db: Database): (Promotion | Unreadable)[] =>
  db
    .all("SELECT *, json_extract(layer, '$.label') AS label FROM promotions ORDER BY key")
    .map((row) =>
      readOr(() => promotionOf(row), { id: text(row, 'id'), name: textOrNull(row, 'label') ?? '' }),
    )

/** Those that can be read, in the order in which they were made. */
export const listPromotions = (db: Database): Promotion[] => readable(readPromotions(db))

/** How many of its runs were finished before it was made. */
export const reusedRuns = (db: Database, id: string): number =>
  numberOf(db.get('SELECT reused FROM promotions WHERE id = ?', id)!, 'reused')

export const setPromotion = (
  db: Database,
  id: string,
  state: PromotionState,
  failure: string | null = null,
): void =>
  db.write(() => {
    db.run('UPDATE promotions SET state = ?, failure = ? WHERE id = ?', state, failure, id)
    emitPromotion(db, id)
  })

/** Puts one that is paused, failed or cancelled in line again, at its old place. */
export const requeuePromotion = (db: Database, id: string): void =>
  db.write(() => {
    retryFailed(db, id)
    setPromotion(db, id, 'queued')
    settlePromotion(db, id)
  })

/** Ends it. Returns the keys of its unfinished runs that nobody else asks for: they are as new. */
export const cancelPromotion = (db: Database, id: string): string[] =>
  db.write(() => {
    setPromotion(db, id, 'cancelled')
    return forgetUnwanted(db, id)
  })

/** Takes it out as if it had never been. Returns the keys of the runs that went with it. */
export const removePromotion = (db: Database, id: string): string[] =>
  db.write(() => {
    const keys = runsOf(db, id).map(({ key }) => key)
    db.run('DELETE FROM promotions WHERE id = ?', id)
    emitPromotion(db, id)
    return removeUnasked(db, keys)
  })
