/**
 * A process that writes a store: `node writer.ts <folder> <name> <candidates>` makes a search and adds, trains and
 * settles so many candidates, each step in a write of its own; 0: without end. Prints "ready" before the first.
 */
import { createRandom } from '../../shared/random.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { randomLayer } from '../../main/search/mutate.ts'
import { addCandidate, setAlive, settle, startCandidate } from '../../main/store/candidates.ts'
import { createSearch, keyOf } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { CONFIG, FAILED, rejected, scored } from './fixture.ts'

const [folder, name, candidates] = process.argv.slice(2)
const db = openStore(folder!)
const { id } = createSearch(db, { name: `writer ${name}`, config: CONFIG, made: {} })
const key = keyOf(db, id)
const first = CONFIG.baselines.length
const end = Number(candidates) || Infinity
console.log('ready')

for (let i = 0; i < end; i++) {
  const number = first + i
  const graph = randomLayer('B', createRandom('writer', name!, i))
  addCandidate(db, key, {
    number,
    role: 'candidate',
    graph,
    fingerprint: fingerprint(graph),
    origin: i === 0 ? { kind: 'random' } : { kind: 'mutation', parent: number - 1, node: 0 },
    verdict: { kind: 'train' },
  })
  startCandidate(db, key, number)
  db.write(() => {
    const settlement = [scored([0.5, 0.6, 0.7]), rejected(), FAILED][i % 3]!
    settle(db, key, number, settlement, i)
    if (i % 3 === 0) setAlive(db, key, { entered: [number], left: i > 30 ? [number - 30] : [] })
  })
}
db.close()
