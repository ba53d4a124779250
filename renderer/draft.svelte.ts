/** A search that is being made up: settings, name, what is wrong with them and what they would cost. */
import type { Prediction, SearchSummary } from '../shared/contract.ts'
import type { DataReport, SplitChoice } from '../shared/data.ts'
import { DATA_SETS, PRESETS } from '../shared/catalog.ts'
import type { PresetName, SearchConfig } from '../shared/records.ts'
import { changes, withValue } from './fields.ts'
import { problems } from './problems.ts'
import type { Page } from './state/page.ts'

/** A pause in typing after which the cost is asked for, milliseconds. */
const PAUSE = 350

export type DataCheck =
  | { readonly state: 'checking' }
  | { readonly state: 'good'; readonly report: DataReport }
  | { readonly state: 'bad'; readonly message: string }

export class Draft {
  config = $state.raw<SearchConfig>(PRESETS.demo.config)
  /** null: named for what it does. */
  typedName = $state<string | null>(null)
  /** The search it was duplicated from. */
  from = $state.raw<SearchSummary | null>(null)
  check = $state.raw<DataCheck | null>(null)
  prediction = $state.raw<Prediction | null>(null)
  starting = $state(false)

  readonly base = $derived(this.from?.search.config ?? PRESETS[this.config.preset].config)
  readonly problems = $derived(problems(this.config))
  readonly valid = $derived(Object.keys(this.problems).length === 0)
  /** Where the images lie does not matter to the cost. */
  readonly predictable = $derived(Object.keys(this.problems).every((key) => key === 'data.path'))
  readonly changes = $derived(changes(this.base, this.config))
  readonly name = $derived(this.typedName ?? this.#named())

  readonly #page: Page
  #timer: ReturnType<typeof setTimeout> | undefined
  #checks = 0

  constructor(page: Page, from: SearchSummary | null) {
    this.#page = page
    this.from = from
    if (from) {
      this.config = from.search.config
      this.typedName = `${from.search.name}, again`.slice(0, 120)
    }
    this.#predict()
  }

  #named(): string {
    const { preset, data } = this.config
    return `${preset === 'demo' ? 'Demo' : PRESETS[preset].label} on ${DATA_SETS[data.kind].label}`
  }

  /** Takes a preset's numbers; a data set that was chosen by path stays. */
  choose(preset: PresetName): void {
    this.from = null
    const { config } = PRESETS[preset]
    const { path } = this.config.data
    this.config = path === undefined ? config : { ...config, data: { ...config.data, path } }
    this.#changed()
  }

  set(path: readonly string[], value: unknown): void {
    this.config = withValue(this.config, path, value)
    if (path[0] === 'data') this.check = null
    this.#changed()
  }

  /** No more questions: the view is gone. */
  close(): void {
    clearTimeout(this.#timer)
  }

  #changed(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#predict(), PAUSE)
  }

  #predict(): void {
    if (!this.predictable) {
      this.prediction = null
      return
    }
    const { config } = this
    this.#page.link
      .request('searches.predict', { config })
      .then((prediction) => {
        if (this.config === config) this.prediction = prediction
      })
      .catch(() => (this.prediction = null))
  }

  /** Which part of the folder trains and which validates: an answer to what a check asks. */
  async chooseSplits(choice: SplitChoice): Promise<void> {
    const { trainingSplit: _, validationSplit: _validation, ...others } = this.config.data
    const { trainingSplit, validationSplit } = choice
    this.set(['data'], {
      ...others,
      ...(trainingSplit === undefined ? {} : { trainingSplit }),
      ...(validationSplit === undefined ? {} : { validationSplit }),
    })
    await this.checkData()
  }

  async checkData(): Promise<void> {
    const mine = ++this.#checks
    this.check = { state: 'checking' }
    const { data } = this.config
    let check: DataCheck
    try {
      check = { state: 'good', report: await this.#page.link.request('data.check', { data }) }
    } catch (error) {
      check = { state: 'bad', message: error instanceof Error ? error.message : String(error) }
    }
    if (mine === this.#checks && data === this.config.data) this.check = check
  }

  async start(): Promise<void> {
    if (!this.valid || this.starting) return
    this.starting = true
    const { name, config } = this
    const made = await this.#page.notices.attempt(() =>
      this.#page.link.request('searches.create', { name, config }),
    )
    this.starting = false
    if (made) this.#page.searches.created(made)
  }
}
