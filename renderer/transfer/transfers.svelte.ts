/** The promotions as the page knows them: the whole list (it is short), asked for anew when something of it changes. */
import { readable, unreadableOf, type Unreadable } from '../../shared/records/unreadable.ts'
import type { WorkerStatus } from '../../shared/contract.ts'
import type { DataReport } from '../../shared/data.ts'
import {
  comparisonOf,
  type Promotion,
  type TransferConfig,
  type TransferTaskName,
} from '../../shared/transfer.ts'
import type {
  LayerReference,
  TransferDetail,
  TransferPrediction,
  TransferSummary,
} from '../../shared/transfer/contract.ts'
import { durationRange } from '../format.ts'
import type { Notices } from '../state/notices.svelte.ts'
import type { Link } from '../state/link.svelte.ts'
import type { Router } from '../state/router.svelte.ts'
import { throttled } from '../state/throttle.ts'
import { pictureStore } from './picture-store.ts'
import { comparisonsOf, configOf, configsOf, problemOf, readProtocol, type Protocol } from './protocol.ts'
import { inLine, layerName, layersText, taskName, together } from './words.ts'

/** At most this often is the list asked for again while events pour in, and while workers only train, milliseconds. */
const LIST_EVERY = 400
const TICK_EVERY = 2000
/** How long a promotion can be taken back in one press, seconds. */
const UNDO_SECONDS = 10

const KEY = 'normforge.protocol'

/** A layer somewhere on the page: what promotes it, and what it is recognised by. */
export type Promotable = {
  readonly layer: LayerReference
  readonly label: string
  /** null: not known before it is promoted. */
  readonly fingerprint: string | null
}

export class Transfers {
  /** Newest first; null until the first answer. */
  list = $state.raw<readonly TransferSummary[] | null>(null)
  /** Those that can't be read. */
  unreadable = $state.raw<readonly Unreadable[]>([])
  /** What one press asks for. */
  protocol = $state.raw<Protocol>(readProtocol(localStorage.getItem(KEY)))
  busy = $state(false)

  readonly active = $derived(
    this.list?.filter(({ promotion }) => inLine(promotion.state) && promotion.state !== 'paused').length ?? 0,
  )
  readonly #byLayer = $derived(Map.groupBy(this.list ?? [], ({ promotion }) => promotion.layer.fingerprint))
  readonly #wanted = $derived(comparisonsOf(this.protocol))
  readonly picture = pictureStore((run, name) => this.#link.request('transfers.picture', { run, name }))

  readonly #link: Link
  readonly #router: Router
  readonly #notices: Notices
  readonly #soon = throttled(LIST_EVERY, () => void this.#refresh())
  readonly #tick = throttled(TICK_EVERY, () => void this.#refresh())

  constructor(link: Link, router: Router, notices: Notices) {
    this.#link = link
    this.#router = router
    this.#notices = notices
  }

  async load(): Promise<void> {
    const before = this.list ?? []
    const entries = await this.#link.request('transfers.list', {})
    this.list = readable(entries)
    this.unreadable = unreadableOf(entries)
    for (const { promotion } of this.list) {
      const was = before.find((one) => one.promotion.id === promotion.id)?.promotion.state
      if (was === 'running' || was === 'queued') this.#tellEnd(promotion)
    }
  }

  #tellEnd(promotion: Promotion): void {
    const { id, layer, state, failure } = promotion
    const what = `${layerName(layer)} on ${taskName(promotion).toLowerCase()}`
    const more = { actions: [{ label: 'Show', run: () => this.open(id) }] }
    if (state === 'done') this.#notices.note('done', `${what} has finished.`, more)
    else if (state === 'failed') this.#notices.note('error', `${what}: ${failure ?? 'failed'}`, more)
  }

  /** Something of a promotion changed. */
  changed(): void {
    this.#soon('')
  }

  /** Between two events a run only goes on. */
  heed(workers: readonly WorkerStatus[]): void {
    if (workers.some(({ transfer }) => transfer !== null)) this.#tick('')
  }

  setProtocol(protocol: Protocol): void {
    this.protocol = protocol
    localStorage.setItem(KEY, JSON.stringify(protocol))
  }

  get(id: string): TransferSummary | undefined {
    return this.list?.find(({ promotion }) => promotion.id === id)
  }

  detail(id: string): Promise<TransferDetail> {
    return this.#link.request('transfers.get', { id })
  }

  /** Promotions of a layer, newest first, cancelled ones left out. */
  of(fingerprint: string | null): readonly TransferSummary[] {
    const all = fingerprint === null ? [] : (this.#byLayer.get(fingerprint) ?? [])
    return all.filter(({ promotion }) => promotion.state !== 'cancelled')
  }

  /** Its promotions under the protocol at hand, when there is one for every task. */
  done(fingerprint: string | null): readonly TransferSummary[] | null {
    const own = this.of(fingerprint)
    const found = this.#wanted.map((wanted) => own.find((one) => comparison(one) === wanted))
    return found.every((one) => one !== undefined) ? found : null
  }

  /** The promotion whose run a worker trains: the oldest that is running, the layer by its label, and its task. */
  training(
    run: string,
  ): { readonly promotion: string; readonly label: string; readonly task: string } | null {
    const [protocol, fingerprint, seed] = run.split('-')
    for (const { promotion, comparison } of this.list?.toReversed() ?? []) {
      if (promotion.protocol !== protocol || !inLine(promotion.state)) continue
      const row = comparison.find((each) => each.fingerprint === fingerprint)
      if (row)
        return { promotion: promotion.id, label: row.label, task: `${taskName(promotion)}, seed ${seed}` }
    }
    return null
  }

  /** One press: in line at once under the protocol at hand, or its result where it was promoted so before. */
  async promote({ layer, label, fingerprint }: Promotable): Promise<boolean> {
    const before = this.done(fingerprint)?.[0]
    if (before) return (this.open(before.promotion.id), true)
    const problem = problemOf(this.protocol)
    if (problem) return (this.#notices.note('error', problem), false)
    return this.ask({ layer, label }, configsOf(this.protocol))
  }

  /** In line at once under these configs, or the result of one that was asked for before. */
  async ask(
    { layer, label }: Pick<Promotable, 'layer' | 'label'>,
    configs: readonly TransferConfig[],
  ): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    const made = await this.#promoteAll(layer, configs)
    this.busy = false
    if (made.length === 0) return false
    const fresh = made.filter(({ existing }) => !existing).map(({ summary }) => summary)
    if (fresh.length === 0) this.open(made[0]!.summary.promotion.id)
    else this.#announce(label, fresh)
    return true
  }

  async #promoteAll(layer: LayerReference, configs: readonly TransferConfig[]) {
    const made = []
    // In turn: their order is the order in line. One that is refused says why, and does not keep the other from it.
    for (const config of configs) {
      const one = await this.#notices.attempt(() =>
        this.#link.request('transfers.promote', { layer, config }),
      )
      if (one) made.push(one)
    }
    for (const { summary } of made) this.#put(summary)
    return made
  }

  #announce(label: string, fresh: readonly TransferSummary[]): void {
    const ids = fresh.map(({ promotion }) => promotion.id)
    const eta = together(fresh)
    const time = eta ? ` Done in ${durationRange(eta.seconds.low, eta.seconds.high)}.` : ''
    this.#notices.note('done', `${label} is in line for ${layersText(fresh)}.${time}`, {
      seconds: UNDO_SECONDS,
      actions: [
        { label: 'Undo', run: () => void this.undo(ids) },
        { label: 'Show', run: () => this.open(ids[0]!) },
      ],
    })
  }

  async undo(ids: readonly string[]): Promise<void> {
    const { route } = this.#router
    const here = route.view === 'transfer' && route.promotion !== null && ids.includes(route.promotion)
    await this.#notices.attempt(async () => {
      for (const id of ids) await this.#link.request('transfers.undo', { id })
    })
    if (here) this.#router.go({ view: 'transfer', promotion: null }, true)
    await this.#refresh()
  }

  open(id: string): void {
    this.#router.go({ view: 'transfer', promotion: id })
  }

  async control(id: string, action: 'pause' | 'resume' | 'cancel'): Promise<void> {
    const summary = await this.#notices.attempt(() => this.#link.request(`transfers.${action}`, { id }))
    if (summary) this.#put(summary)
    this.#soon('')
  }

  /** What the data of a task hold. */
  check(protocol: Protocol, task: TransferTaskName): Promise<DataReport> {
    return this.#link.request('transfers.check', { config: configOf(protocol, task) })
  }

  /** What a protocol will cost in all; null where a task can't be told. */
  async predict(protocol: Protocol): Promise<TransferPrediction> {
    const all = await Promise.all(
      configsOf(protocol).map((config) => this.#link.request('transfers.predict', { config })),
    )
    const sum = (end: 'low' | 'high'): number => all.reduce((total, one) => total + one.seconds[end], 0)
    return {
      seconds: { low: sum('low'), high: sum('high') },
      measured: all.every(({ measured }) => measured),
    }
  }

  #put(summary: TransferSummary): void {
    const { id } = summary.promotion
    const others = (this.list ?? []).filter(({ promotion }) => promotion.id !== id)
    this.list = [summary, ...others].sort((a, b) =>
      b.promotion.createdAt.localeCompare(a.promotion.createdAt),
    )
  }

  async #refresh(): Promise<void> {
    try {
      await this.load()
    } catch {
      // The next event or reconnection asks again.
    }
  }
}

const kept = new WeakMap<TransferConfig, string>()

const comparison = ({ promotion: { config } }: TransferSummary): string => {
  const known = kept.get(config) ?? comparisonOf(config)
  kept.set(config, known)
  return known
}
