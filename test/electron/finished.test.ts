import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApi } from '../../main/api.ts'
import { watchFinished, type Finished } from '../../main/electron/finished.ts'
import { dataFolder, shortSearch, until } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'

test('a search that comes to its end is told once, one that ended before is not', async (t) => {
  const api = createApi({ host: 'electron', dataFolder: dataFolder(), workers: 1, evaluator: STAND_IN })
  t.after(() => api.close())
  const begin = async (name: string): Promise<void> => {
    const reply = await api.request({
      id: 1,
      name: 'searches.create',
      argument: { name, config: shortSearch() },
    })
    assert.ok(reply.ok)
  }
  const early: Finished[] = []
  const stop = await watchFinished(api, (search) => early.push(search))
  await begin('first')
  await until('the end of the first search', () => early.length === 1)
  stop()

  const told: Finished[] = []
  t.after(await watchFinished(api, (search) => told.push(search)))
  await begin('second')
  await until('the end of the second search', () => told.length > 0)
  assert.deepEqual(
    told.map(({ name, state }) => ({ name, state })),
    [{ name: 'second', state: 'done' }],
  )
  assert.deepEqual(
    early.map(({ name }) => name),
    ['first'],
  )
})
