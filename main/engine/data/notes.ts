import type { DataNote } from '../../../shared/data.ts'

const EXAMPLES = 3

/** Counts what is left out of a data set, a line for each reason. */
export type Notes = {
  /** `example` names where. */
  add(what: string, example: string, count?: number): void
  readonly list: readonly DataNote[]
}

export const createNotes = (): Notes => {
  const notes = new Map<string, { count: number; examples: string[] }>()
  return {
    add: (what, example, count = 1) => {
      const note = notes.get(what) ?? { count: 0, examples: [] }
      notes.set(what, note)
      note.count += count
      if (note.examples.length < EXAMPLES) note.examples.push(example)
    },
    get list() {
      return [...notes].map(([what, { count, examples }]) => ({ what, count, examples: [...examples] }))
    },
  }
}
