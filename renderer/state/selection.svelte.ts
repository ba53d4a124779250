import { layerOf } from '../route.ts'
import type { Router } from './router.svelte.ts'

/** The layer at hand, shared by all views: the one picked (it is in the address) and the one under the pointer. */
export class Selection {
  /** Number of the layer under the pointer, in whichever view. */
  hovered = $state<number | null>(null)
  readonly #router: Router
  readonly #layer = $derived.by(() => layerOf(this.#router.route))

  constructor(router: Router) {
    this.#router = router
  }

  /** Number of the layer picked. */
  get layer(): number | null {
    return this.#layer
  }

  /** Picks a layer in whatever view is open (null: none); every view shows it. */
  pick(layer: number | null): void {
    const { route } = this.#router
    if (!('layer' in route)) return
    if (route.view === 'layer') {
      if (layer !== null) this.#router.go({ ...route, layer })
    } else this.#router.go({ ...route, layer }, true)
  }
}
