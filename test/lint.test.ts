import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ESLint } from 'eslint'
import ts from 'typescript-eslint'
import { root } from '../main/setup/process.mjs'
import { ARCHITECTURES, DATA_SETS } from '../shared/catalog.ts'
import { TRANSFER_TASKS } from '../shared/transfer.ts'

const eslint = new ESLint({ cwd: root, overrideConfig: ts.configs.disableTypeChecked })
/** What is wrong with a text in a file that is there; texts are parsed alone, without types. */
const faults = async (file: string, text: string): Promise<string[]> => {
  const [result] = await eslint.lintText(text, { filePath: file })
  return result!.messages.map(({ message }) => message)
}

test('no place may decide by the name of a data set, an architecture or a task', async () => {
  const tasks = Object.entries(TRANSFER_TASKS)
  const names = new Set([
    ...[...Object.keys(ARCHITECTURES), ...Object.keys(DATA_SETS)],
    ...tasks.flatMap(([name, { dataSets }]) => [name, ...Object.keys(dataSets)]),
  ])
  assert.ok(names.has('resnet') && names.has('coco') && names.has('verification'))
  for (const name of names)
    for (const text of [
      `export const f = (data) => data.kind === '${name}'\n`,
      `export const f = (config) => (config.kind !== '${name}' ? 1 : 2)\n`,
    ]) {
      const [fault = 'nothing'] = await faults('main/api.ts', text)
      assert.match(fault, /put the difference into its descriptor/, `${text} in main`)
    }
  assert.deepEqual(await faults('main/api.ts', "export const f = (kind) => kind === 'folder'\n"), [])
})

test('a folder of main imports those below it, and no other', async () => {
  const forbidden: readonly (readonly [file: string, from: string])[] = [
    ['main/store/candidates.ts', '../search/history.ts'],
    ['main/store/candidates.ts', '../workshop.ts'],
    ['main/workers/pool.ts', '../store/store.ts'],
    ['main/engine/evaluate.ts', '../store/store.ts'],
    ['main/engine/evaluate.ts', '../search/history.ts'],
    ['main/engine/tasks/synthesis/run.ts', '../../../transfer/queue.ts'],
    ['main/engine/jit/program.ts', '../training.ts'],
    ['main/engine/jit/program.ts', '../lowering/compiled.ts'],
    ['main/engine/jit/passes/index.ts', '../../gradients/index.ts'],
    ['main/engine/jit/passes/index.ts', '../../../store/store.ts'],
    ['main/engine/gradients/index.ts', '../tasks/index.ts'],
    ['main/search/runner.ts', '../transfer/queue.ts'],
    ['main/transfer/queue.ts', '../cli/text.ts'],
    ['main/api.ts', '@tensorflow/tfjs-node-gpu'],
    ['main/store/candidates.ts', '@tensorflow/tfjs-node-gpu'],
  ]
  for (const [file, from] of forbidden)
    assert.match((await faults(file, `import '${from}'\n`)).join(), /restricted/, `${file} from ${from}`)
  const allowed: readonly (readonly [file: string, from: string])[] = [
    ['main/search/runner.ts', '../store/store.ts'],
    ['main/store/promotions.ts', '../../shared/transfer/contract.ts'],
    ['main/engine/jit/passes/index.ts', '../../runtime.ts'],
    ['main/engine/tasks/index.ts', '../training.ts'],
    ['main/api.ts', './workshop.ts'],
  ]
  for (const [file, from] of allowed)
    assert.deepEqual(await faults(file, `import '${from}'\n`), [], `${file} from ${from}`)
})
