/** Checks of values from a file; each failure names the file, the place, what was needed and what came. */
export type Checker = {
  readonly who: string
  fail(place: string, needed: string, got: unknown): never
  object(value: unknown, place: string): Readonly<Record<string, unknown>>
  array(value: unknown, place: string): readonly unknown[]
  text(value: unknown, place: string): string
  finite(value: unknown, place: string): number
  whole(value: unknown, place: string): number
  positive(value: unknown, place: string): number
}

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

export const checker = (who: string): Checker => {
  const fail = (place: string, needed: string, got: unknown): never => {
    throw new Error(`${who}: ${place}: needed ${needed}, got ${shown(got)}`)
  }
  const number = (needed: string, passes: (value: number) => boolean) => (value: unknown, place: string) =>
    typeof value === 'number' && passes(value) ? value : fail(place, needed, value)
  return {
    who,
    fail,
    object: (value, place) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? (value as Readonly<Record<string, unknown>>)
        : fail(place, 'an object', value),
    array: (value, place) => (Array.isArray(value) ? (value as unknown[]) : fail(place, 'a list', value)),
    text: (value, place) =>
      typeof value === 'string' && value !== '' ? value : fail(place, 'a text', value),
    finite: number('a finite number', Number.isFinite),
    whole: number('a whole number', Number.isInteger),
    positive: number('a positive whole number', (value) => Number.isInteger(value) && value > 0),
  }
}
