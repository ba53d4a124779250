/** Everything that can be done from the keyboard or found by name: one list for the palette and the shortcuts. */
import { EXPORTS, EXPORT_TARGETS, type ExportTarget } from '../shared/export/index.ts'
import { SEARCH_VIEWS, type Route, type SearchView } from './route.ts'
import type { IconName } from './parts/icons.ts'
import type { Page } from './state/page.ts'
import { THEME_LABELS, THEMES } from './theme.ts'
import { count, percent } from './format.ts'
import { protocolText } from './transfer/protocol.ts'
import type { Promotable } from './transfer/transfers.svelte.ts'
import { layerName, taskName } from './transfer/words.ts'

export type Command = {
  readonly group: string
  readonly label: string
  readonly hint?: string
  readonly icon: IconName
  /** Keys pressed one after the other, outside of fields. */
  readonly keys?: string
  run(): void
}

export const VIEW_LOOKS: Readonly<Record<SearchView, { label: string; icon: IconName; keys: string }>> = {
  live: { label: 'Live', icon: 'live', keys: 'g l' },
  lineage: { label: 'Lineage', icon: 'lineage', keys: 'g t' },
  candidates: { label: 'Candidates', icon: 'list', keys: 'g c' },
  pareto: { label: 'Pareto', icon: 'pareto', keys: 'g p' },
}

const goes = (page: Page, route: Route) => () => page.router.go(route)

/** The commands that make sense now. */
export const commands = (page: Page, dialogs: { help(): void }): Command[] => [
  { group: 'Go to', label: 'Home', icon: 'home', keys: 'g h', run: goes(page, { view: 'home' }) },
  {
    group: 'Go to',
    label: 'New search',
    icon: 'plus',
    keys: 'n',
    run: goes(page, { view: 'new', from: null }),
  },
  {
    group: 'Go to',
    label: 'Transfer',
    icon: 'transfer',
    keys: 'g x',
    run: goes(page, { view: 'transfer', promotion: null }),
  },
  ...ofSearch(page),
  ...ofLayer(page),
  { group: 'Go to', label: 'Settings', icon: 'settings', keys: 'g s', run: goes(page, { view: 'settings' }) },
  ...(page.searches.list ?? []).map((summary): Command => ({
    group: 'Searches',
    label: summary.search.name,
    hint: `${summary.search.state}, ${count(summary.funnel.generated)} candidates${summary.best ? `, best ${percent(summary.best.average)}` : ''}`,
    icon: 'history',
    run: () => page.router.show('live', summary.search.id),
  })),
  ...(page.transfers.list ?? []).map(({ promotion }): Command => ({
    group: 'Transfer',
    label: `${layerName(promotion.layer)} on ${taskName(promotion).toLowerCase()}`,
    hint: promotion.state,
    icon: 'transfer',
    run: goes(page, { view: 'transfer', promotion: promotion.id }),
  })),
  ...THEMES.map((theme): Command => ({
    group: 'Theme',
    label: `Theme: ${THEME_LABELS[theme].toLowerCase()}`,
    icon: 'theme',
    run: () => page.appearance.choose(theme),
  })),
  { group: 'Help', label: 'Keyboard shortcuts', icon: 'keyboard', keys: '?', run: dialogs.help },
]

const ofSearch = (page: Page): Command[] => {
  const summary = page.searches.current
  if (!summary) return []
  const { id, name, state } = summary.search
  const views = SEARCH_VIEWS.map((view): Command => ({
    group: 'Go to',
    label: VIEW_LOOKS[view].label,
    hint: name,
    icon: VIEW_LOOKS[view].icon,
    keys: VIEW_LOOKS[view].keys,
    run: () => page.router.show(view, id),
  }))
  const act = (label: string, icon: IconName, run: () => void, keys?: string): Command => ({
    group: 'Do',
    label,
    hint: name,
    icon,
    run,
    ...(keys === undefined ? {} : { keys }),
  })
  const best = summary.best
  const actions = [
    ...(best
      ? [act(`Open the best layer, #${best.number}`, 'open', () => page.router.open(id, best.number), 'b')]
      : []),
    ...(state === 'running' ? [act('Pause', 'pause', () => void page.searches.control(id, 'pause'))] : []),
    ...(state === 'running' || state === 'paused'
      ? [act('Stop', 'stop', () => void page.searches.control(id, 'stop'))]
      : []),
    ...(state === 'paused' || state === 'stopped' || state === 'failed'
      ? [act('Resume', 'play', () => void page.searches.control(id, 'resume'))]
      : []),
    act('Duplicate this search', 'copy', goes(page, { view: 'new', from: id })),
  ]
  return [...views, ...actions]
}

/** What can be done with the layer at hand: the one picked, or a finished search's best. */
const ofLayer = (page: Page): Command[] => {
  const layer = layerAtHand(page)
  if (!layer) return []
  const { label, search, number } = layer
  const called = label.replace(/^Layer/, 'layer')
  const exportAs = (target: ExportTarget) => async (): Promise<void> => {
    const detail = await page.notices.attempt(() => page.details.get(search, number))
    if (detail) page.exporting.layer = { graph: detail.candidate.graph, label, target }
  }
  return [
    {
      group: 'Do',
      label: page.transfers.done(layer.fingerprint) ? `Open the transfer of ${called}` : `Promote ${called}`,
      hint: protocolText(page.transfers.protocol),
      icon: 'promote',
      keys: 'p',
      run: () => void page.transfers.promote(layer),
    },
    ...EXPORT_TARGETS.map((target): Command => ({
      group: 'Export',
      label: `Export ${called} as ${EXPORTS[target].label}`,
      icon: 'code',
      run: () => void exportAs(target)(),
    })),
  ]
}

type LayerAtHand = Promotable & { readonly search: string; readonly number: number }

const layerAtHand = (page: Page): LayerAtHand | null => {
  const { route } = page.router
  const summary = page.searches.current
  if (!summary || !('layer' in route)) return null
  const best = route.view === 'live' && summary.search.state === 'done' ? summary.best?.number : undefined
  const number = route.layer ?? best
  return number === undefined ? null : candidateAtHand(page, summary.search.id, number)
}

/** A candidate as what promotes it, by the name it has where it is shown. */
export const candidateAtHand = (page: Page, search: string, number: number): LayerAtHand => {
  const node = page.lineage.family?.get(number)
  const named = node && !['mutation', 'random', 'imported'].includes(node.origin)
  return {
    layer: { search, number },
    label: named ? node.origin : `Layer #${number}`,
    fingerprint: node?.fingerprint ?? null,
    search,
    number,
  }
}

/** Layers of the search at hand whose formula, ops or name hold a text, best first. */
export const layerCommands = async (page: Page, text: string, most: number): Promise<Command[]> => {
  const summary = page.searches.current
  if (!summary || text.trim().length < 2) return []
  const { id, name } = summary.search
  const named = (page.lineage.family?.nodes ?? [])
    .filter(({ origin }) => origin.toLowerCase().includes(text.trim().toLowerCase()))
    .filter(({ origin }) => !['mutation', 'random', 'imported'].includes(origin))
    .map(({ number, origin }) => ({ number, label: origin }))
  const { rows } = await page.link.request('candidates.list', {
    ...{ id, text: text.trim(), statuses: null, sort: 'average', descending: true, offset: 0 },
    limit: most,
  })
  const found = rows.map(({ number, average, formula }) => ({
    number,
    label: `${percent(average)}  ${formula}`,
  }))
  return [...named, ...found].slice(0, most).map(({ number, label }): Command => ({
    group: 'Layers',
    label: `#${number}  ${label}`,
    hint: name,
    icon: 'open',
    run: () => page.router.open(id, number),
  }))
}

/** A number, with or without "#", opens that layer of the search at hand. */
export const layerCommand = (page: Page, text: string): Command | null => {
  const number = /^#?(\d{1,9})$/.exec(text.trim())?.[1]
  const summary = page.searches.current
  if (number === undefined || !summary) return null
  if (page.lineage.family && !page.lineage.family.get(Number(number))) return null
  return {
    group: 'Layers',
    label: `Open layer #${number}`,
    hint: summary.search.name,
    icon: 'open',
    run: () => page.router.open(summary.search.id, Number(number)),
  }
}
