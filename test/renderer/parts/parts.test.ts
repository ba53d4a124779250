/** Main parts of the page by themselves: what they show of what they are given, and what they ask for when they are pressed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppEvent, LineageNode } from '../../../shared/contract.ts'
import { candidate } from '../nodes.ts'
import { summaryOf } from '../summaries.ts'
import { mountPart } from './mount.ts'

const at = (search: string, view = 'live'): string => `#/search/${search}/${view}`

test('Home offers the demo where there is no search, and goes to the search that its press made', async (t) => {
  const made = summaryOf('new')
  const home = await mountPart(t, 'views/Home.svelte', { answers: { 'searches.create': () => made } })
  home.find('[data-testid=start-demo]').click()
  await home.settle()
  assert.equal(home.asked.filter(({ name }) => name === 'searches.create').length, 1)
  assert.equal(home.address(), at('new'))
  assert.match(home.body.textContent, /1 search, 1 running/)
})

test('Home lists searches newest first and narrows them by name', async (t) => {
  const list = [
    summaryOf('a', { name: 'Older', createdAt: '2026-01-01T00:00:00Z' }),
    summaryOf('b', { name: 'Newer', createdAt: '2026-02-01T00:00:00Z', state: 'done' }),
  ]
  const home = await mountPart(t, 'views/Home.svelte', { answers: { 'searches.list': () => list } })
  const names = (): string[] => [...home.body.querySelectorAll('td.name a')].map((a) => a.textContent)
  assert.deepEqual(names(), ['Newer', 'Older'])
  await home.type('input', 'old')
  assert.deepEqual(names(), ['Older'])
  assert.match(home.body.textContent, /Showing 1 of 2/)
})

test('the ranking follows candidates as they come, also those that come before the family', async (t) => {
  const summary = summaryOf('s')
  const event = (number: number, average: number, search = 's'): AppEvent => ({
    ...({ seq: number, time: '', kind: 'candidate' } as const),
    search,
    node: candidate(number, null, { average, scores: [average] }),
  })
  const asked = Promise.withResolvers<LineageNode[]>()
  const ranking = await mountPart(t, 'parts/live/Leaders.svelte', {
    props: { summary },
    answers: { 'searches.list': () => [summary], 'searches.lineage': () => asked.promise },
  })
  const names = (): string[] => [...ranking.body.querySelectorAll('li a')].map((a) => a.textContent.trim())
  await ranking.go(at('s'))
  await ranking.send({ events: [event(2, 0.6)] })
  assert.deepEqual(names(), [])
  asked.resolve([candidate(1, null)])
  await ranking.settle()
  assert.deepEqual(names(), ['#2', '#1'])
  await ranking.send({ events: [event(3, 0.7), event(4, 0.9, 'another')] })
  assert.deepEqual(names(), ['#3', '#2', '#1'], 'a candidate of another search is none of this one')
})

test('a failed action is said once with its reason, and can be dismissed', async (t) => {
  const app = await mountPart(t, 'App.svelte', {
    answers: {
      'searches.create': () => {
        throw new Error('The disk is full.')
      },
    },
  })
  app.find('[data-testid=start-demo]').click()
  await app.settle()
  app.find('[data-testid=start-demo]').click()
  await app.settle()
  assert.equal(app.body.querySelectorAll('.notice').length, 1, 'the same reason twice is one notice')
  assert.match(app.find('.notice').textContent, /The disk is full\./)
  app.find('.notice [aria-label=Dismiss]').click()
  await app.settle()
  assert.equal(app.body.querySelector('.notice'), null)
})

test('the palette finds layers by formula and by name', async (t) => {
  const summary = summaryOf('s')
  const row = { ...candidate(7, 1), formula: 'exp(x)', nodes: 1, seconds: 1 }
  const palette = await mountPart(t, 'App.svelte', {
    address: '#/settings',
    answers: {
      'searches.list': () => [summary],
      'searches.lineage': () => [candidate(1, null, { origin: 'EvoNorm-B0' })],
      'candidates.list': ({ text }) => ({ rows: text === 'exp' ? [row] : [], total: 1 }),
    },
  })
  const labels = (): string[] =>
    [...palette.body.querySelectorAll('#palette-list .label')].map((each) => each.textContent)
  await palette.go(at('s', 'pareto'))
  palette.window.dispatchEvent(new palette.window.KeyboardEvent('keydown', { key: 'k', ctrlKey: true }))
  await palette.settle()
  await palette.type('[role=combobox]', 'exp')
  await palette.until(() => labels().includes('#7  50.0%  exp(x)'))
  await palette.type('[role=combobox]', 'evonorm')
  await palette.until(() => labels().includes('#1  EvoNorm-B0'))
})

test('a theme that is chosen is shown at once', async (t) => {
  const app = await mountPart(t, 'App.svelte', { address: '#/settings' })
  const button = [...app.body.querySelectorAll('[aria-label=Theme] button')].find(
    ({ textContent }) => textContent.trim() === 'Dark',
  )
  assert.ok(button)
  button.dispatchEvent(new app.window.MouseEvent('click', { bubbles: true }))
  await app.settle()
  assert.equal(button.getAttribute('aria-pressed'), 'true')
  assert.equal(app.window.document.documentElement.dataset['theme'], 'dark')
})

test('a part outside of a page says what it needs', async (t) => {
  await assert.rejects(
    mountPart(t, 'frame/Banner.svelte', { bare: true }),
    /usePage: needs a page in the context/,
  )
})
