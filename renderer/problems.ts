/** What is wrong with settings, as one sentence for each field. */
import type { z } from 'zod'
import { searchConfigSchema } from '../shared/records/search-config.ts'
import { DATA_SETS } from '../shared/catalog.ts'
import { FIELDS } from './fields.ts'
import type { SearchConfig } from '../shared/records.ts'

type Issue = z.core.$ZodIssue

const PERCENT = new Set(
  FIELDS.filter((field) => field.kind === 'percent').map((field) => field.path.join('.')),
)

/** A bound as the field shows it. */
const bound = (value: number | bigint, issue: Issue): string =>
  PERCENT.has(issue.path.join('.')) ? `${Number(value) * 100}%` : String(value)

const sentence = (issue: Issue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'needs a whole number' : 'needs a number'
    case 'too_small':
      if (issue.origin === 'array') return `needs at least ${issue.minimum}`
      if (issue.origin === 'string') return 'is needed'
      return `needs ${issue.inclusive ? 'at least' : 'more than'} ${bound(issue.minimum, issue)}`
    case 'too_big':
      return `needs at most ${bound(issue.maximum, issue)}`
    default:
      return issue.message
  }
}

/** Field path, joined by dots, to its first problem; empty when the settings can be run. */
export const problems = (config: SearchConfig): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {}
  const parsed = searchConfigSchema.safeParse(config)
  for (const issue of parsed.error?.issues ?? []) found[issue.path.join('.')] ??= sentence(issue)
  if (DATA_SETS[config.data.kind].needsPath && !config.data.path) found['data.path'] ??= 'is needed'
  return found
}
