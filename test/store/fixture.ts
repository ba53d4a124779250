import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addCandidate, settle, type NewCandidate } from '../../main/store/candidates.ts'
import type { Database } from '../../main/store/database.ts'
import { createSearch, keyOf } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { EvaluationResult, Evaluation, Rejection, SearchConfig } from '../../shared/records.ts'

/** Where to say what is to be done after a test: its context, or a file of tests. */
type Scope = { after(action: () => void): void }

export const folderOf = (t: Scope): string => {
  const folder = mkdtempSync(join(tmpdir(), 'normforge-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store of its own, closed and removed after the test. */
export const storeOf = (t: Scope): Database => {
  const db = openStore(folderOf(t))
  t.after(() => db.close())
  return db
}

export const CONFIG: SearchConfig = { ...PRESETS.demo.config, baselines: ['BN-ReLU', 'EvoNorm-S0'] }

/** A search of two baselines: candidates begin at 2. */
export const addSearch = (db: Database, config = CONFIG): { readonly id: string; readonly key: number } => {
  const { id } = createSearch(db, { name: 'a search', config, made: { version: '1' } })
  return { id, key: keyOf(db, id) }
}

/** Puts a layer in, by its formula; to be trained unless said otherwise. */
export const add = (
  db: Database,
  key: number,
  number: number,
  formula: string,
  more: Partial<NewCandidate> = {},
): void => {
  const graph = parseFormula(formula, true)
  addCandidate(db, key, {
    number,
    role: 'candidate',
    graph,
    fingerprint: fingerprint(graph),
    origin: { kind: 'random' },
    verdict: { kind: 'train' },
    ...more,
  })
}

const evaluation = (accuracy: number | null, purpose: Evaluation['purpose']): Evaluation => ({
  architecture: CONFIG.architectures[0]!,
  purpose,
  seed: 1,
  steps: 200,
  parameters: 1000,
  curve: [
    { step: 100, loss: 1.5, accuracy: null },
    { step: 200, loss: 1.25, accuracy },
  ],
  accuracy,
  gradientNorm: 12.5,
  seconds: 2,
})

export const scored = (scores: readonly number[], purpose: Evaluation['purpose'] = 'score') => ({
  result: {
    scores,
    rejection: null,
    evaluations: scores.map((score) => evaluation(score, purpose)),
    seconds: 2 * scores.length,
  } satisfies EvaluationResult,
})

export const UNSTABLE: Rejection = {
  stage: 'stability',
  reason: 'the gradient norm passed the limit',
  measured: 2e8,
  limit: 1e8,
  architecture: 'resnet',
  step: 7,
}
export const rejected = (rejection: Rejection = UNSTABLE) => ({
  result: {
    scores: null,
    rejection,
    evaluations: [evaluation(null, 'score')],
    seconds: 1,
  } satisfies EvaluationResult,
})

export const FAILED = { failure: { cause: 'crashed with SIGSEGV', trace: 'at step 3', attempts: 2 } }

/** A layer that was put in and trained: scores, or how else it ended. */
export const addSettled = (
  db: Database,
  key: number,
  number: number,
  formula: string,
  settlement: Parameters<typeof settle>[3],
  atSeconds = number,
): void => {
  add(db, key, number, formula)
  settle(db, key, number, settlement, atSeconds)
}
