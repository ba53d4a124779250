/** How the lineage is drawn, kept in the address: layout, axis, what is folded, and the window. */
import type { LineageAxis, LineageLayout, OthersShown } from './draw/lineage.ts'
import type { Window } from './draw/viewport.ts'

/** What becomes of branches that died out: bands, or every layer a node; `auto` chooses by size. */
export type ExtinctShown = 'auto' | 'bands' | 'all'
export type LineageDrawing = {
  readonly layout: LineageLayout
  readonly axis: LineageAxis
  readonly others: OthersShown
  readonly extinct: ExtinctShown
  /** null: all of it. */
  readonly view: Window | null
}

export const FIRST_DRAWING: LineageDrawing = {
  layout: 'family',
  axis: 'candidate',
  others: 'lanes',
  extinct: 'auto',
  view: null,
}

type Choice = Exclude<keyof LineageDrawing, 'view'>
const CHOICES: { readonly [K in Choice]: readonly LineageDrawing[K][] } = {
  layout: ['family', 'score'],
  axis: ['candidate', 'generation'],
  others: ['lanes', 'leaves', 'hidden'],
  extinct: ['auto', 'bands', 'all'],
}

const chosen = <K extends Choice>(query: URLSearchParams, name: K): LineageDrawing[K] =>
  CHOICES[name].find((choice) => choice === query.get(name)) ?? FIRST_DRAWING[name]

export const parseDrawing = (query: URLSearchParams): LineageDrawing => {
  const [x0, x1, y0, y1] = (query.get('zoom') ?? '').split(',').map(Number)
  const ends = [x0, x1, y0, y1]
  const sound = ends.every((end) => end !== undefined && Number.isFinite(end)) && x0! < x1! && y0! < y1!
  return {
    layout: chosen(query, 'layout'),
    axis: chosen(query, 'axis'),
    others: chosen(query, 'others'),
    extinct: chosen(query, 'extinct'),
    view: sound ? { x0: x0!, x1: x1!, y0: y0!, y1: y1! } : null,
  }
}

/** Only what differs from the first drawing, so that addresses stay short. */
export const drawingQuery = (drawing: LineageDrawing): [name: string, value: string][] => {
  const query: [string, string][] = []
  for (const name of ['layout', 'axis', 'others', 'extinct'] as const)
    if (drawing[name] !== FIRST_DRAWING[name]) query.push([name, drawing[name]])
  const { view } = drawing
  if (view)
    query.push(['zoom', [view.x0, view.x1, view.y0, view.y1].map((end) => Number(end.toFixed(2))).join(',')])
  return query
}

export const sameDrawing = (a: LineageDrawing, b: LineageDrawing): boolean =>
  drawingQuery(a).join() === drawingQuery(b).join()
