import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REQUESTS } from '../../shared/contract.ts'
import { OUTCOMES } from '../../renderer/family.ts'
import { FIRST_LIST, listArgument, parseList, sameList, type CandidateList } from '../../renderer/list.ts'
import { href, parseRoute, type Route } from '../../renderer/route.ts'

const narrowed: CandidateList = {
  outcome: 'stability',
  text: 'acc>0.6 op:sigmoid #7 & more',
  sort: 'seconds',
  descending: true,
}

test('every route survives its own address', () => {
  const routes: Route[] = [
    { view: 'home' },
    { view: 'new', from: null },
    { view: 'new', from: 'a b/c' },
    { view: 'settings' },
    { view: 'live', search: 'x', layer: null },
    { view: 'lineage', search: 'x?&#/', layer: 12 },
    { view: 'pareto', search: 'x', layer: 0 },
    { view: 'layer', search: 'x', layer: 3 },
    { view: 'candidates', search: 'x', layer: 4, list: FIRST_LIST },
    { view: 'candidates', search: 'x', layer: null, list: narrowed },
  ]
  for (const route of routes) assert.deepEqual(parseRoute(href(route)), route)
})

test('an address that leads nowhere is unknown, and no error', () => {
  for (const hash of ['#/nowhere', '#/search', '#/search/x/layer/one', '#/search/x/else', '#/search/%/zzz'])
    assert.equal(parseRoute(hash).view, 'unknown', hash)
})

test('the first list leaves no trace in the address', () => {
  assert.equal(
    href({ view: 'candidates', search: 'x', layer: null, list: FIRST_LIST }),
    '#/search/x/candidates',
  )
})

test('what an address does not know falls back to the first list', () => {
  const list = parseList(new URLSearchParams('outcome=blue&sort=-colour'))
  assert.ok(sameList(list, FIRST_LIST))
  assert.ok(!sameList(list, narrowed))
})

test('every tab asks something the contract accepts', () => {
  for (const outcome of ['all', ...OUTCOMES] as const) {
    const argument = { id: 'x', ...listArgument({ ...FIRST_LIST, outcome }), offset: 0, limit: 100 }
    assert.deepEqual(REQUESTS['candidates.list'].parse(argument), argument)
  }
})

test('a tab of rejections narrows by its stage and keeps the filter', () => {
  assert.deepEqual(listArgument(narrowed), {
    statuses: ['rejected'],
    text: 'rejected:stability acc>0.6 op:sigmoid #7 & more',
    sort: 'seconds',
    descending: true,
  })
  assert.deepEqual(listArgument({ ...narrowed, outcome: 'pending', text: ' ' }).statuses, [
    'queued',
    'running',
  ])
})
