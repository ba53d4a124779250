/** For `node --import`: sets the clock back by an hour soon after the start. */
const { Date: Real } = globalThis
const HOUR_MS = 3_600_000
const AFTER_MS = 900
const now = (): number => Real.now() - (performance.now() > AFTER_MS ? HOUR_MS : 0)

globalThis.Date = class extends Real {
  constructor(...given: [] | [number | string | Date]) {
    super(given.length === 0 ? now() : given[0])
  }
  static override now(): number {
    return now()
  }
} as DateConstructor
