import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ALLOWED } from '../../../main/engine/jit/graphDef.ts'

test('the ops that TensorFlow freezes Inception v3 to are let in; ops that touch files or run code are not', () => {
  const file = path.resolve(import.meta.dirname, '../../reference/inception_ops.json')
  const found = JSON.parse(readFileSync(file, 'utf8')) as { keras: string[]; optimized: string[] }
  assert.ok(found.keras.length > 10)
  assert.deepEqual(
    [...found.keras, ...found.optimized].filter((op) => !ALLOWED.has(op)),
    [],
  )
  const harmful = [
    'WriteFile',
    'ReadFile',
    'PrintV2',
    'PyFunc',
    'PartitionedCall',
    'While',
    'VarHandleOp',
    'Fill',
    'Tile',
  ]
  assert.deepEqual(
    harmful.filter((op) => ALLOWED.has(op)),
    [],
  )
})
