/** What the lineage view shows and how: the choices, the window, and the scene that follows from them. */
import type { LineageNode } from '../../../shared/contract.ts'
import { aliveAt, type Family } from '../../family.ts'
import { lineageModel, type LineageLayout, type Mark, type OthersShown } from '../../draw/lineage.ts'
import { inPlot, plotOf, sceneOf } from '../../draw/scene.ts'
import { between, centred, clamp, pan, zoom, type Size, type Window } from '../../draw/viewport.ts'
import { NO_NUMBERS, numbersOf, toggled, type Numbers } from '../../numbers.ts'
import type { Page } from '../../state/page.ts'

/** Above this the layout is made anew at most this often while candidates arrive, milliseconds. */
const LARGE = 2000
const LARGE_EVERY = 500
const MOVE_MS = 260
/** So many marks glide to their new places when the tree grows or is laid out anew; more would stutter. */
const MOST_GLIDING = 700
const SETTLE_MS = 340

type Drawn = { readonly family: Family | null; readonly nodes: readonly LineageNode[] }

export class Stage {
  layout = $state<LineageLayout>('family')
  others = $state<OthersShown>('lanes')
  collapsed = $state.raw(NO_NUMBERS)
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
  readonly model = $derived(lineageModel(this.nodes, this.layout, this.others, this.collapsed))
  readonly plot = $derived(plotOf(this.size, this.model.lanes))
  readonly view = $derived(this.#view ? this.#kept(this.#view) : this.model.whole)
  readonly whole = $derived(this.#view === null)
  readonly toPixels = $derived(inPlot(this.view, this.plot))
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
      alive: this.#alive,
      path: this.path,
      matches: this.matches,
    }),
  )

  constructor(page: Page) {
    this.#page = page
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
      this.#view = null
      this.collapsed = NO_NUMBERS
      this.upTo = null
      this.matches = null
    }
    if (this.#drawn.family !== family || (family?.size ?? 0) <= LARGE) {
      clearTimeout(this.#waiting)
      take()
    } else if (nodes !== this.#drawn.nodes) this.#waiting ??= setTimeout(take, LARGE_EVERY)
  }

  setLayout(layout: LineageLayout): void {
    this.#settle()
    this.layout = layout
    this.#view = null
  }

  setOthers(others: OthersShown): void {
    this.#settle()
    this.others = others
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

  /** One step closer or back about the middle, moving smoothly. */
  step(factor: number): void {
    const { x, y, width, height } = this.plot
    this.#glide(this.#zoomed(x + width / 2, y + height / 2, factor))
  }

  fit(): void {
    if (!this.whole) this.#glide(this.model.whole)
  }

  /** Puts a point of the data in the middle, at once. */
  centre(x: number, y: number): void {
    this.#stop()
    this.#show(centred(this.view, x, y))
  }

  /** Brings a layer into view when it is outside. */
  reveal(number: number): void {
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
    return clamp(view, this.model.whole, { width: 8, height: this.layout === 'family' ? 5 : 1.5 })
  }

  /** Whoever sees all of it goes on seeing all of it. */
  #show(view: Window): void {
    const kept = this.#kept(view)
    const { whole } = this.model
    const all = kept.x1 - kept.x0 >= whole.x1 - whole.x0 && kept.y1 - kept.y0 >= whole.y1 - whole.y0
    this.#view = all ? null : kept
  }

  #glide(to: Window): void {
    this.#stop()
    const from = this.view
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return this.#show(to)
    const start = performance.now()
    const move = (now: number): void => {
      const t = Math.min(1, Math.max(0, (now - start) / MOVE_MS))
      this.#show(between(from, to, 1 - (1 - t) ** 3))
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
