/** Prints all that a store holds, as pages are told it: started with a data folder, in whichever tree it stands. */
import { filterOf } from '../../main/store/filter.ts'
import { candidateDetail, candidatePage, lineage } from '../../main/store/reading.ts'
import { keyOf, readSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { searchSummaries } from '../../main/summary.ts'
import { NO_SEARCH, transferList } from '../../main/transfer/summary.ts'
import { OP_NAMES } from '../../shared/ops.ts'
import { readable } from '../../shared/records/unreadable.ts'
import { REPLIES } from '../../shared/replies.ts'

const db = openStore(process.argv[2])
const page = { statuses: null, sort: 'number', descending: false, offset: 0, limit: 500 } as const
const searches = readable(readSearches(db)).map(({ id }) => {
  const key = keyOf(db, id)
  const nodes = REPLIES['searches.lineage'].parse(lineage(db, key))
  const details = nodes.map(({ number }) => REPLIES['candidates.get'].parse(candidateDetail(db, key, number)))
  const found = OP_NAMES.map((op) => {
    const { rows } = candidatePage(db, key, { ...page, text: `op:${op}` })
    return [op, rows.map(({ number }) => number)] as const
  })
  return { id, nodes, details, found: Object.fromEntries(found) }
})
console.log(
  JSON.stringify({
    list: REPLIES['searches.list'].parse(searchSummaries(db, 1)),
    transfers: REPLIES['transfers.list'].parse(transferList(db, NO_SEARCH)),
    searches,
    bits: filterOf('op:sqrt')[0]?.values,
  }),
)
db.close()
