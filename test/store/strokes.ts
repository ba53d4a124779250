/**
 * A process that changes a store in every way there is, one small write after another: `node strokes.ts <folder>`. Makes
 * the store or brings an older one up to date. Prints "<what> <count>" as soon as a write is done, "refused" for one that
 * could not be.
 */
import { writeSync } from 'node:fs'
import { parseFormula } from '../../shared/formula.ts'
import { transferPreset, type SynthesisConfig } from '../../shared/transfer.ts'
import { freeLayer, lineUp, runsOfPlan } from '../../main/transfer/layers.ts'
import { setAlive, settle, startCandidate } from '../../main/store/candidates.ts'
import type { Database } from '../../main/store/database.ts'
import { acquireLease, createHolder, fenced, releaseLease } from '../../main/store/leases.ts'
import { addPromotion, setPromotion } from '../../main/store/promotions.ts'
import { advanceRun, finishRun, startRun } from '../../main/store/runs.ts'
import { updateSearch } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { transferAnswer } from '../workers/stand-in-transfer.ts'
import { add, addSearch, scored } from './fixture.ts'

const say = (line: string): void => void writeSync(1, `${line}\n`)
let count = 0
/** One write, told when it is done. */
const stroke = <T>(what: string, action: () => T): T | null => {
  try {
    const result = action()
    say(`${what} ${(count += 1)}`)
    return result
  } catch (error) {
    say(`refused: ${String(error)}`)
    return null
  }
}

const search = (db: Database): void => {
  const key = stroke('search', () => addSearch(db).key)
  if (key === null) return
  const holder = createHolder()
  stroke('lease', () => acquireLease(db, key, holder))
  for (const [number, formula] of [
    [2, 'x * sigmoid(x)'],
    [3, 'tanh(x)'],
    [4, 'x / std_hwg(x)'],
  ] as const) {
    stroke('candidate', () => add(db, key, number, formula))
    stroke('start', () => fenced(db, key, holder, () => startCandidate(db, key, number)))
    stroke('settled', () =>
      db.write(() => {
        settle(db, key, number, scored([0.5, 0.6, 0.7]), number)
        setAlive(db, key, { entered: [number], left: [] })
      }),
    )
  }
  stroke('state', () => updateSearch(db, key, { state: 'paused' }))
  stroke('release', () => releaseLease(db, key, holder))
}

const transfer = (db: Database): void => {
  const layer = freeLayer({ graph: parseFormula('x * tanh(x)', true), label: 'mine' })
  const preset = transferPreset('synthesis', 'demo') as SynthesisConfig
  const training = { ...preset.training, steps: 40 }
  const config = { ...preset, training, seeds: 1, evaluateEvery: 20, baselines: [] }
  const runs = runsOfPlan(lineUp(layer, config), config)
  const { key } = runs[0]!
  const id = stroke('promotion', () => addPromotion(db, { layer, config, made: {}, runs }).id)
  if (id === null) return
  const result = transferAnswer({ graph: layer.graph, config, seed: 1 })
  stroke('run', () => startRun(db, key))
  stroke('point', () => advanceRun(db, key, { step: 1, point: result.curve[0]!, seconds: 1 }))
  stroke('paused', () => setPromotion(db, id, 'paused'))
  stroke('finished', () => finishRun(db, key, result))
}

const db = stroke('open', () => openStore(process.argv[2]!))
if (db) {
  search(db)
  transfer(db)
  stroke('close', () => db.close())
}
