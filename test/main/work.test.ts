import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApi } from '../../main/api.ts'
import type { Finished, Work } from '../../main/desktop/messages.ts'
import { watchWork } from '../../main/desktop/work.ts'
import { dataFolder, shortSearch, until } from './stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'

test('a search that comes to its end is told once, one that ended before is not, and what runs meanwhile', async (t) => {
  const api = createApi({ host: 'desktop', dataFolder: dataFolder(), workers: 1, evaluator: STAND_IN })
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
  const work: Work[] = []
  const stop = await watchWork(
    api,
    (news) => void (news.kind === 'finished' ? early.push(news) : work.push(news)),
  )
  await begin('first')
  await until('the end of the first search', () => early.length === 1)
  stop()

  const told: Finished[] = []
  t.after(await watchWork(api, (news) => void (news.kind === 'finished' && told.push(news))))
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
  assert.deepEqual(
    work.map(({ running }) => running).filter((running, i, all) => running !== all[i - 1]),
    [0, 1, 0],
  )
})
