/** What the lineage view shows and how: the choices, the window, and the scene that follows from them. */
import type { LineageNode } from '../../../shared/contract.ts'
import { aliveAt, type Family } from '../../family.ts'
import {
  lineageModel,
  type LineageAxis,
  type LineageLayout,
  type Mark,
  type OthersShown,
} from '../../draw/lineage.ts'
import { inPlot, plotOf, sceneOf } from '../../draw/scene.ts'
import { between, centred, clamp, pan, zoom, type Size, type Window } from '../../draw/viewport.ts'
import { FIRST_DRAWING, sameDrawing, type ExtinctShown, type LineageDrawing } from '../../drawing.ts'
import { joined, NO_NUMBERS, numbersOf, toggled, type Numbers } from '../../numbers.ts'
import type { Page } from '../../state/page.ts'

/** Above this the layout is made anew at most this often while candidates arrive, milliseconds. */
const LARGE = 2000
const LARGE_EVERY = 500
const MOVE_MS = 260
/** So many marks glide to their new places when the tree grows or is laid out anew; more would stutter. */
const MOST_GLIDING = 700
const SETTLE_MS = 340
/** So many layers that were sought stay nodes where extinct branches are bands. */
const MOST_SOUGHT = 500

type Drawn = { readonly family: Family | null; readonly nodes: readonly LineageNode[] }

export class Stage {
  layout = $state<LineageLayout>('family')
  axis = $state<LineageAxis>('candidate')
  others = $state<OthersShown>('lanes')
  extinct = $state<ExtinctShown>('auto')
  collapsed = $state.raw(NO_NUMBERS)
  /** Extinct branches that were opened, by their first layers. */
  opened = $state.raw(NO_NUMBERS)
  /** Layers that were looked at: they stay nodes. */
  #looked = $state.raw(NO_NUMBERS)
  /** Newest candidate of the replay, null: live. */
  upTo = $state<number | null>(null)
  matches = $state.raw<Numbers | null>(null)
  size = $state.raw<Size>({ width: 0, height: 0 })
  #drawn = $state.raw<Drawn>({ family: null, nodes: [] })
  /** null: all of it, also while it grows. */
  #view = $state.raw<Window | null>(null)
  /** Marks are on their way to the places of a new layout. */
  settling = $state(false)
  #moving = 0
  #settled: ReturnType<typeof setTimeout> | undefined
  #waiting: ReturnType<typeof setTimeout> | undefined
  readonly #page: Page

  readonly nodes = $derived(this.#drawn.nodes)
  /** The best layer that the search found. */
  readonly best = $derived.by(() => this.#page.searches.current?.best?.number ?? null)
  readonly folded = $derived(
    this.extinct === 'bands' || (this.extinct === 'auto' && this.nodes.length > LARGE),
  )
  readonly #fold = $derived.by(() => {
    if (!this.folded) return null
    const alive = this.nodes.filter((node) => node.alive).map(({ number }) => number)
    const sought = this.matches && this.matches.size <= MOST_SOUGHT ? this.matches : NO_NUMBERS
    const keep = joined(alive, sought, this.#looked, this.best === null ? [] : [this.best])
    return { keep, opened: this.opened }
  })
  readonly model = $derived(
    lineageModel(this.nodes, this.layout, this.others, this.collapsed, {
      axis: this.axis,
      fold: this.#fold,
    }),
  )
  readonly plot = $derived(plotOf(this.size, this.model.lanes))
  readonly view = $derived(this.#view ? this.#kept(this.#view) : this.model.whole)
  readonly whole = $derived(this.#view === null)
  readonly toPixels = $derived(inPlot(this.view, this.plot))
  /** What the address says of it. */
  readonly drawing = $derived<LineageDrawing>({
    layout: this.layout,
    axis: this.axis,
    others: this.others,
    extinct: this.extinct,
    view: this.#view,
  })
  /** From the selected layer to its root. */
  readonly path = $derived.by(() => {
    void this.#drawn
    if (this.#page.selection.layer === null) return NO_NUMBERS
    return numbersOf(this.#drawn.family?.ancestry(this.#page.selection.layer) ?? [])
  })
  readonly #alive = $derived.by(() =>
    this.upTo === null
      ? null
      : aliveAt(
          this.nodes,
          this.#page.searches.current?.search.config.evolution ?? { population: Infinity },
          this.upTo,
        ),
  )
  readonly scene = $derived(
    sceneOf(this.model, {
      view: this.view,
      size: this.size,
      upTo: this.upTo,
      folded: this.folded,
      alive: this.#alive,
      path: this.path,
      matches: this.matches,
    }),
  )
  /** The last drawing that came from the address or was written there. */
  #addressed: LineageDrawing | null = null

  constructor(page: Page) {
    this.#page = page
    const { route } = page.router
    if (route.view === 'lineage') this.apply(route.drawing ?? FIRST_DRAWING)
  }

  /** Takes over what the page knows now; at once while that is quick. */
  follow(family: Family | null, nodes: readonly LineageNode[]): void {
    const take = (): void => {
      this.#waiting = undefined
      const now = this.#page.lineage.family
      if (this.#drawn.family === now) this.#settle()
      this.#drawn = { family: now, nodes: now?.nodes ?? [] }
    }
    if (this.#drawn.family !== family) {
      if (this.#drawn.family) this.#view = null
      this.collapsed = this.opened = this.#looked = NO_NUMBERS
      this.upTo = null
      this.matches = null
    }
    if (this.#drawn.family !== family || (family?.size ?? 0) <= LARGE) {
      clearTimeout(this.#waiting)
      take()
    } else if (nodes !== this.#drawn.nodes) this.#waiting ??= setTimeout(take, LARGE_EVERY)
  }

  /** Draws as an address says, unless it says what was written there. */
  apply(drawing: LineageDrawing): void {
    if (this.#addressed && sameDrawing(this.#addressed, drawing)) return
    this.#addressed = drawing
    this.layout = drawing.layout
    this.axis = drawing.axis
    this.others = drawing.others
    this.extinct = drawing.extinct
    this.#view = drawing.view
  }

  /** Writes the drawing into the address, where it is another one than is there. */
  write(drawing: LineageDrawing): void {
    const { route } = this.#page.router
    if (route.view !== 'lineage' || (this.#addressed && sameDrawing(this.#addressed, drawing))) return
    this.#addressed = drawing
    this.#page.router.go({ ...route, drawing }, true)
  }

  setLayout(layout: LineageLayout): void {
    this.#settle()
    this.layout = layout
    this.#view = null
  }

  setAxis(axis: LineageAxis): void {
    this.#settle()
    this.axis = axis
    this.#view = null
  }

  setOthers(others: OthersShown): void {
    this.#settle()
    this.others = others
  }

  setExtinct(extinct: ExtinctShown): void {
    this.#settle()
    this.extinct = extinct
    this.opened = NO_NUMBERS
    this.#view = null
  }

  /** Opens an extinct branch: its layers become nodes. */
  open(heads: readonly number[]): void {
    this.#settle()
    this.opened = joined(this.opened, heads)
  }

  /** Keeps a layer a node, wherever it is. */
  look(number: number): void {
    if (this.folded && !this.markOf(number)) this.#looked = joined(this.#looked, [number])
  }

  panBy(dx: number, dy: number): void {
    this.#stop()
    this.#show(pan(this.view, this.plot, dx, dy))
  }

  /** Zooms about a point of the stage. */
  zoomAt(x: number, y: number, factor: number): void {
    this.#stop()
    this.#show(this.#zoomed(x, y, factor))
  }

  /** One step closer or back about the selected layer, else about what is nearest to the middle, moving smoothly. */
  step(factor: number): void {
    const { x, y } = this.#subject()
    this.#glide(this.#zoomed(x, y, factor))
  }

  #subject(): { readonly x: number; readonly y: number } {
    const { x, y, width, height } = this.plot
    const middle = { x: x + width / 2, y: y + height / 2 }
    const chosen = this.#page.selection.layer
    const { marks } = this.scene
    const selected = marks.find(({ number }) => number === chosen)
    if (selected) return selected
    const far = (mark: { readonly x: number; readonly y: number }): number =>
      Math.hypot(mark.x - middle.x, mark.y - middle.y)
    return (
      marks.reduce<{ readonly x: number; readonly y: number } | null>(
        (near, mark) => (near && far(near) <= far(mark) ? near : mark),
        null,
      ) ?? middle
    )
  }

  fit(): void {
    if (!this.whole) this.#glide(this.model.whole)
  }

  /** Shows the path from the selected layer to its root, as large as it goes. */
  framePath(): void {
    const marks = [...this.path].flatMap((number) => this.markOf(number) ?? [])
    if (marks.length === 0) return
    const ends = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)]
    const [x0, x1] = ends(marks.map(({ x }) => x))
    const [y0, y1] = ends(marks.map(({ y }) => y))
    const [dx, dy] = [(x1 - x0) * 0.06 + 1, (y1 - y0) * 0.06 + (this.layout === 'family' ? 2 : 1)]
    this.#glide(this.#kept({ x0: x0 - dx, x1: x1 + dx, y0: y0 - dy, y1: y1 + dy }))
  }

  /** Puts a point of the data in the middle, at once. */
  centre(x: number, y: number): void {
    this.#stop()
    this.#show(centred(this.view, x, y))
  }

  /** Brings a layer into view when it is outside. */
  reveal(number: number): void {
    this.look(number)
    const mark = this.markOf(number)
    if (!mark) return
    const { x0, x1, y0, y1 } = this.view
    if (mark.x >= x0 && mark.x <= x1 && mark.y >= y0 && mark.y <= y1) return
    this.#glide(this.#kept(centred(this.view, mark.x, mark.y)))
  }

  markOf(number: number): Mark | undefined {
    return this.model.byNumber.get(number)
  }

  /** Hides or shows the descendants of a layer. */
  toggle(number: number): void {
    this.#settle()
    this.collapsed = toggled(this.collapsed, number)
  }

  end(): void {
    this.#stop()
    clearTimeout(this.#settled)
    clearTimeout(this.#waiting)
  }

  #zoomed(x: number, y: number, factor: number): Window {
    const at = { x: x - this.plot.x, y: y - this.plot.y }
    return this.#kept(zoom(this.view, this.plot, at, factor))
  }

  #kept(view: Window): Window {
    const width = this.axis === 'candidate' ? 8 : 2.5
    return clamp(view, this.model.whole, { width, height: this.layout === 'family' ? 5 : 1.5 })
  }

  /** Whoever sees all of it goes on seeing all of it, however it grows. */
  #show(view: Window): void {
    const kept = this.#kept(view)
    const { whole } = this.model
    const covers = (a0: number, a1: number, b0: number, b1: number): boolean => a1 - a0 >= (b1 - b0) * 0.9999
    const all = covers(kept.x0, kept.x1, whole.x0, whole.x1) && covers(kept.y0, kept.y1, whole.y0, whole.y1)
    this.#view = all ? null : kept
  }

  #glide(to: Window): void {
    this.#stop()
    const from = this.view
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return this.#show(to)
    const start = performance.now()
    const move = (now: number): void => {
      const t = Math.min(1, Math.max(0, (now - start) / MOVE_MS))
      this.#show(t < 1 ? between(from, to, 1 - (1 - t) ** 3) : to)
      this.#moving = t < 1 ? requestAnimationFrame(move) : 0
    }
    this.#moving = requestAnimationFrame(move)
  }

  #settle(): void {
    clearTimeout(this.#settled)
    this.settling = this.nodes.length <= MOST_GLIDING
    this.#settled = setTimeout(() => (this.settling = false), SETTLE_MS)
  }

  /** The window moves at once, and with it everything in it. */
  #stop(): void {
    cancelAnimationFrame(this.#moving)
    this.#moving = 0
    this.settling = false
  }
}
