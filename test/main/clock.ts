/** A module for `node --import`: sets the clock back by an hour at NORMFORGE_CLOCK_BACK_AT (ms), the same moment for all programs. */
const { Date: Real } = globalThis
const HOUR_MS = 3_600_000
const BACK_AT = Number(process.env['NORMFORGE_CLOCK_BACK_AT'])
const now = (): number => Real.now() - (Real.now() > BACK_AT ? HOUR_MS : 0)

globalThis.Date = class extends Real {
  constructor(...given: [] | [number | string | Date]) {
    super(given.length === 0 ? now() : given[0])
  }
  static override now(): number {
    return now()
  }
} as DateConstructor
