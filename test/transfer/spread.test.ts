import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from '../../main/store/store.ts'
import { addPromotion } from '../../main/store/promotions.ts'
import { finishRun } from '../../main/store/runs.ts'
import { freeLayer, lineUp, runsOfPlan } from '../../main/transfer/layers.ts'
import { seedSpread } from '../../main/transfer/spread.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { verificationOf } from '../../shared/transfer/verification.ts'
import { dataFolder } from '../main/stand-in-app.ts'

const { config: DEMO } = PRESETS.demo

test('the spread between seeds is pooled over the layers verified at that budget, each run counted once', () => {
  const db = openStore(dataFolder())
  const accuracies: Readonly<Record<string, readonly number[]>> = {
    'EvoNorm-B0': [0.5, 0.52, 0.54],
    'BN-ReLU': [0.4, 0.4, 0.4],
    'GN-ReLU': [0.3, 0.36, 0.33],
  }
  const verify = (known: string, baselines: readonly string[], steps: number): void => {
    const chosen = verificationOf(DEMO)
    const config = { ...chosen, baselines, training: { ...chosen.training, steps } }
    const layer = freeLayer({ known })
    const layers = lineUp(layer, config)
    const runs = runsOfPlan(layers, config)
    addPromotion(db, { layer, config, made: {}, runs })
    for (const { key, fingerprint, seed } of runs) {
      const { label } = layers.find((each) => each.fingerprint === fingerprint)!
      const measures = { accuracy: accuracies[label]![seed - 1]! }
      const result = {
        outcome: 'finished',
        step: steps,
        reason: null,
        measures,
        parameters: 1,
        seconds: 1,
      } as const
      finishRun(db, key, { ...result, curve: [] })
    }
  }
  assert.equal(seedSpread(db, DEMO, 120), null)
  verify('EvoNorm-B0', ['BN-ReLU'], 120)
  // Squares about the means: 2 · 0.02² and 0, of 2 and 2 degrees of freedom: √(0.0008 / 4).
  assert.ok(Math.abs(seedSpread(db, DEMO, 120)! - Math.sqrt(0.0002)) < 1e-12)
  verify('GN-ReLU', ['BN-ReLU'], 120)
  // And 2 · 0.03²; BN-ReLU's runs are the same ones: √((0.0008 + 0.0018) / 6).
  assert.ok(Math.abs(seedSpread(db, DEMO, 120)! - Math.sqrt(0.0026 / 6)) < 1e-12)
  assert.equal(seedSpread(db, DEMO, 240), null, 'another budget')
  assert.equal(seedSpread(db, { ...DEMO, data: { ...DEMO.data, imageSize: 32 } }, 120), null)
  db.close()
})
