import assert from 'node:assert/strict'
import { mean } from '../../shared/pareto.ts'
import { test, type TestContext } from 'node:test'
import { createApi, type Api } from '../../main/api.ts'
import type { Argument, Replies, RequestName } from '../../shared/contract.ts'
import { knownLayer } from '../../shared/known.ts'
import { REPLIES } from '../../shared/replies.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { collect, dataFolder, shortSearch, until } from './stand-in-app.ts'

const openApi = (folder: string): Api =>
  createApi({ host: 'browser', dataFolder: folder, workers: 2, evaluator: STAND_IN })
const apiFor = (t: TestContext, folder = dataFolder()): Api => {
  const api = openApi(folder)
  t.after(() => api.close())
  return api
}
const ask = async <N extends RequestName>(api: Api, name: N, argument: Argument<N>): Promise<Replies[N]> => {
  const reply = await api.request({ id: 1, name, argument })
  assert.ok(reply.ok, reply.ok ? '' : reply.message)
  return REPLIES[name].parse(reply.value)
}
const refusal = async (api: Api, frame: unknown): Promise<string> => {
  const reply = await api.request(frame)
  assert.ok(!reply.ok, 'needed a refusal')
  return `${reply.code}: ${reply.message}`
}

test('a search runs to its end, and the events tell the same story as the store', async (t) => {
  const api = apiFor(t)
  const { events, listener } = collect()
  t.after(api.subscribe(0, listener))
  const config = shortSearch()
  const { search } = await ask(api, 'searches.create', { name: 'first', config })
  const now = () => ask(api, 'searches.get', { id: search.id })
  await until('the end of the search', async () => (await now()).search.state === 'done')

  const { funnel, progress, baselines, best, trend } = await now()
  assert.equal(progress, 1)
  assert.ok(baselines.length > 0 && baselines.every(({ scores }) => scores !== null))
  assert.ok(best !== null && trend.length > 0)
  assert.equal(funnel.pending, 0)

  const nodes = await ask(api, 'searches.lineage', { id: search.id })
  const paged = []
  for (let after = -1; paged.length < nodes.length; after = paged.at(-1)!.number) {
    const page = await ask(api, 'searches.lineage', { id: search.id, after, limit: 2 })
    assert.ok(page.length > 0 && page.length <= 2)
    paged.push(...page)
  }
  assert.deepEqual(paged, nodes)
  assert.deepEqual(
    nodes.map(({ number }) => number),
    nodes.map((_, i) => i),
  )
  await until('the last event', () => {
    const told = new Map(events.flatMap((e) => (e.kind === 'candidate' ? [[e.node.number, e.node]] : [])))
    return told.size === nodes.length && nodes.every((n) => told.get(n.number)?.status === n.status)
  })
  const seqs = events.map(({ seq }) => seq)
  assert.deepEqual(
    seqs,
    [...seqs].sort((a, b) => a - b),
  )

  const page = await ask(api, 'candidates.list', {
    id: search.id,
    statuses: ['scored'],
    text: '',
    sort: 'average',
    descending: true,
    offset: 0,
    limit: 5,
  })
  assert.equal(page.total, funnel.scored)
  const found = page.rows.find(({ known }) => known === null)
  const { rerankScores } = (await ask(api, 'candidates.get', { id: search.id, number: best.number }))
    .candidate
  assert.equal(best.average, rerankScores ? mean(rerankScores) : found!.average)
  const detail = await ask(api, 'candidates.get', { id: search.id, number: best.number })
  assert.equal(detail.candidate.number, best.number)
  assert.ok(detail.evaluations.length >= config.architectures.length)
})

test('a running search goes on after a restart', async (t) => {
  const folder = dataFolder()
  const first = openApi(folder)
  const { search } = await ask(first, 'searches.create', {
    name: '',
    config: shortSearch({ maxTrained: 40 }),
  })
  await until('some candidates', async () => {
    return (await ask(first, 'searches.get', { id: search.id })).funnel.scored > 3
  })
  await first.close()

  const second = apiFor(t, folder)
  const now = () => ask(second, 'searches.get', { id: search.id })
  await until('the end of the search', async () => (await now()).search.state === 'done')
  const trained = (await ask(second, 'searches.lineage', { id: search.id })).filter(
    ({ role, status, rejected }) =>
      role === 'candidate' && (status === 'scored' || (rejected !== null && rejected !== 'static')),
  )
  assert.equal(trained.length, 40)
})

test('an inserted layer is judged like any other', async (t) => {
  const api = apiFor(t)
  const config = shortSearch({ maxTrained: 30 })
  const { search } = await ask(api, 'searches.create', { name: '', config })
  const { graph } = knownLayer('EvoNorm-B2')
  const node = await ask(api, 'searches.insert', { id: search.id, graph, note: 'by hand' })
  const now = () => ask(api, 'searches.get', { id: search.id })
  await until('the end of the search', async () => (await now()).search.state === 'done')
  const { candidate } = await ask(api, 'candidates.get', { id: search.id, number: node.number })
  assert.deepEqual(candidate.origin, { kind: 'imported', note: 'by hand' })
  assert.ok(!['queued', 'running'].includes(candidate.status), candidate.status)
})

test('what can not be answered is refused with its reason', async (t) => {
  const api = apiFor(t)
  assert.match(await refusal(api, 'hello'), /^invalid: a request needs an id/)
  assert.match(await refusal(api, { id: 1, name: 'toString', argument: {} }), /^invalid: .*no request/)
  assert.match(await refusal(api, { id: 1, name: 'searches.get', argument: { id: 7 } }), /^invalid: .*id/)
  assert.match(await refusal(api, { id: 1, name: 'searches.get', argument: { id: 'x' } }), /^missing: .*"x"/)
  const data = { kind: 'folder', path: 'nowhere', validationImages: 10, trainingImages: 0, imageSize: 32 }
  assert.match(await refusal(api, { id: 1, name: 'data.check', argument: { data } }), /^invalid: .*nowhere/)
  const config = { ...shortSearch(), data }
  const create = { id: 1, name: 'searches.create', argument: { name: '', config } }
  assert.match(await refusal(api, create), /^invalid: .*nowhere/)
  assert.deepEqual(await ask(api, 'searches.list', {}), [])
})
