import { UnreadableError, type RecordKind } from '../../shared/records/record.ts'
import { damageOf } from './damage.ts'
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'

export type Row = Record<string, SQLOutputValue>

/** Prepared statements kept by their text, and transactions that may nest. */
export class Database {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #listeners = new Set<() => void>()
  #depth = 0

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)))
    return statement
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#attempt(() => this.#prepare(sql).get(...values))
  }
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#attempt(() => this.#prepare(sql).all(...values))
  }
  /** Returns how many rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#attempt(() => Number(this.#prepare(sql).run(...values).changes))
  }

  #attempt<T>(action: () => T): T {
    try {
      return action()
    } catch (error) {
      throw damageOf(error, this.#db.location() ?? 'in memory') ?? error
    }
  }

  /** All of `action` or nothing; other processes wait meanwhile. Inside another `write` it is part of that one. */
  write<T>(action: () => T): T {
    if (this.#depth > 0) return action()
    this.#db.exec('BEGIN IMMEDIATE')
    this.#depth = 1
    let result: T
    try {
      result = action()
      this.#db.exec('COMMIT')
    } catch (error) {
      // SQLite has rolled back by itself when the disk is full, say.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#depth = 0
    }
    for (const listener of this.#listeners) listener()
    return result
  }

  /** Called after every write of this process. */
  onWrite(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Changes whenever another connection has written. */
  version(): number {
    return Number(this.get('PRAGMA data_version')!['data_version'])
  }

  close(): void {
    this.#db.close()
  }
}

export const text = (row: Row, column: string): string => String(row[column])
export const textOrNull = (row: Row, column: string): string | null =>
  row[column] === null ? null : String(row[column])
export const numberOf = (row: Row, column: string): number => Number(row[column])
export const numberOrNull = (row: Row, column: string): number | null =>
  row[column] === null ? null : Number(row[column])

/** One of the words that a column may hold. Throws an UnreadableError for any other. */
export const wordOf = <Word extends string>(row: Row, column: string, words: Words<Word>): Word => {
  const found = words.options.find((word) => word === row[column])
  if (found === undefined)
    throw new UnreadableError(
      `${column}: needs one of ${words.options.join(', ')}, got "${text(row, column)}"`,
    )
  return found
}
export const wordOrNull = <Word extends string>(row: Row, column: string, words: Words<Word>): Word | null =>
  row[column] === null ? null : wordOf(row, column, words)
/** An enumeration of zod's. */
type Words<Word> = { readonly options: readonly Word[] }

/** A record that is kept as JSON, brought up to date. Throws an UnreadableError. */
export const recordOf = <T>(row: Row, column: string, kind: RecordKind<T>): T => kind.read(text(row, column))
export const recordOrNull = <T>(row: Row, column: string, kind: RecordKind<T>): T | null =>
  row[column] === null ? null : recordOf(row, column, kind)
/** The text that keeps a record. */
export const textOfRecord = <T>(kind: RecordKind<T>, value: T | null): string | null =>
  value === null ? null : kind.write(value)
