/** The filtered list as a file: every row of it, fetched anew, not only what was on the screen. */
import type { Argument, CandidatePage, CandidateRow } from '../shared/contract.ts'
import { outcome } from './family.ts'
import { listArgument, type CandidateList } from './list.ts'

const CHUNK = 500

type Ask = (name: 'candidates.list', argument: Argument<'candidates.list'>) => Promise<CandidatePage>

export const allRows = async (ask: Ask, id: string, list: CandidateList): Promise<CandidateRow[]> => {
  const found: CandidateRow[] = []
  for (;;) {
    const argument = { id, ...listArgument(list), offset: found.length, limit: CHUNK }
    const { rows, total } = await ask('candidates.list', argument)
    found.push(...rows)
    if (rows.length === 0 || found.length >= total) return found
  }
}

const cell = (value: string | number | null): string => {
  const text = value === null ? '' : String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Comma-separated, one column an architecture; accuracies are fractions 0..1. */
export const asCsv = (rows: readonly CandidateRow[], architectures: readonly string[]): string => {
  const head = [
    ...['number', 'outcome', 'average', ...architectures],
    ...['origin', 'parent', 'duplicate_of', 'alive', 'nodes', 'seconds', 'fingerprint', 'formula'],
  ]
  const lines = rows.map((row) => [
    ...[row.number, outcome(row), row.average, ...architectures.map((_, i) => row.scores?.[i] ?? null)],
    ...[row.origin, row.parent, row.duplicateOf, String(row.alive), row.nodes, row.seconds],
    ...[row.fingerprint, row.formula],
  ])
  return [head, ...lines].map((line) => line.map(cell).join(',')).join('\n') + '\n'
}
