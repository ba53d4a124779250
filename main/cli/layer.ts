/** The `--layer` option: a known layer by name, a layer in a JSON file, or a candidate as `<search>:<number>`. */
import path from 'node:path'
import { KNOWN } from '../../shared/known.ts'
import { parseGraph } from '../../shared/rules.ts'
import type { PromotedLayer } from '../../shared/transfer.ts'
import type { LayerReference } from '../../shared/transfer/contract.ts'
import { kindAt, readText } from '../files.ts'
import type { Database } from '../store/database.ts'
import { freeLayer, resolveLayer } from '../transfer/layers.ts'
import { userPath } from '../caller.ts'
import { UserError } from './errors.ts'
import { findSearch } from './find.ts'
import { openFolder, type SessionOptions } from './session.ts'

/** `store` is only called for a candidate. Throws a UserError when there is no such layer. */
export const layerReference = (given: string, store: () => Database): LayerReference => {
  const known = KNOWN.find(({ name }) => name.toLowerCase() === given.toLowerCase())
  if (known) return { known: known.name }
  const file = userPath(given)
  if (kindAt(file) !== null) return { graph: graphIn(file, given), label: path.parse(file).name }
  const [, search, number] = /^([0-9a-f]+):#?(\d+)$/.exec(given) ?? []
  if (search !== undefined) return { search: findSearch(store(), search).id, number: Number(number) }
  const names = KNOWN.map(({ name }) => name).join(', ')
  throw new UserError(`--layer: needs a JSON file, <search>:<number> or one of ${names}, got "${given}"`)
}

/** Bytes of a layer's file: 64 nodes take 4,000. */
const LARGEST = 2 ** 20

const graphIn = (file: string, given: string) => {
  try {
    return parseGraph(readText(file, { who: '--layer', most: LARGEST }), `--layer ${given}`)
  } catch (error) {
    throw new UserError((error as Error).message)
  }
}

/** The layer itself, for commands that use the store for a candidate alone. */
export const layerOf = (given: string, options: SessionOptions): PromotedLayer => {
  const opened: Database[] = []
  const store = (): Database => {
    const db = openFolder(options)
    opened.push(db)
    return db
  }
  try {
    const reference = layerReference(given, store)
    return 'search' in reference ? resolveLayer(opened[0]!, reference) : freeLayer(reference)
  } finally {
    for (const db of opened) db.close()
  }
}
