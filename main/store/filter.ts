import { ContractError } from '../../shared/contract.ts'
import { bitsOf, OP_NAMES } from '../../shared/ops.ts'
import { candidateStatusSchema, rejectionStageSchema } from '../../shared/records/candidate.ts'

type Condition = { readonly sql: string; readonly values: readonly (string | number)[] }

/** Field that can be compared to the column it is in. A map, since what is typed may be any name, `constructor` too. */
const COMPARED: ReadonlyMap<string, string> = new Map([
  ['acc', 'average'],
  ['nodes', 'nodes'],
  ['seconds', 'seconds'],
  ['number', 'number'],
])

/** Words that a field takes; a beginning is enough, so that the list narrows while one is typed. */
const begun = <Word extends string>(name: string, value: string, words: readonly Word[]): Word[] => {
  const found = words.filter((word) => word.startsWith(value))
  if (found.length === 0)
    throw new ContractError('invalid', `filter: "${name}:" needs one of ${words.join(', ')}, got "${value}"`)
  return found
}

const among = (column: string, words: readonly string[]): Condition => ({
  sql: `${column} IN (${words.map(() => '?').join(', ')})`,
  values: words,
})

type Field = (value: string, name: string) => Condition
const FIELDS: ReadonlyMap<string, Field> = new Map(
  Object.entries<Field>({
    rejected: (value, name) => among('rejected', begun(name, value, rejectionStageSchema.options)),
    status: (value, name) => among('status', begun(name, value, candidateStatusSchema.options)),
    origin: (value) => ({
      sql: '(instr(kind, ?) = 1 OR instr(lower(label), ?) = 1)',
      values: [value, value],
    }),
    parent: (value, name) => ({ sql: 'parent = ?', values: [wholeNumber(name, value)] }),
    number: (value, name) => ({ sql: 'number = ?', values: [wholeNumber(name, value)] }),
    is: (value, name) => {
      begun(name, value, ['alive'])
      return { sql: 'alive = 1', values: [] }
    },
    op: (value, name) => {
      const ops = begun(name, value, OP_NAMES)
      return { sql: '(ops & ?) <> 0', values: [bitsOf(ops)] }
    },
  }),
)

const wholeNumber = (name: string, value: string): number => {
  if (!/^\d+$/.test(value))
    throw new ContractError('invalid', `filter: "${name}:" needs a whole number, got "${value}"`)
  return Number(value)
}

const numeric = (name: string, comparison: string, value: string): Condition => {
  const column = COMPARED.get(name)
  if (column === undefined)
    throw new ContractError(
      'invalid',
      `filter: "${comparison}" needs one of ${[...COMPARED.keys()].join(', ')} before it, got "${name}"`,
    )
  const number = Number(value)
  if (!Number.isFinite(number))
    throw new ContractError('invalid', `filter: "${name}" needs a number, got "${value}"`)
  return { sql: `${column} ${comparison} ?`, values: [number] }
}

const named = (name: string, value: string): Condition => {
  const field = FIELDS.get(name)
  if (field === undefined)
    throw new ContractError(
      'invalid',
      `filter: needs one of ${[...FIELDS.keys()].join(', ')} before ":", got "${name}"`,
    )
  return field(value, name)
}

/**
 * Conditions of a filter text, to be joined by AND: `rejected:stability acc>0.6 op:sigmoid`. Fields: rejected, status,
 * origin, op (a beginning is enough), parent, number, is:alive; comparisons (< <= > >= =) of acc, nodes, seconds,
 * number; `#12`; any other word is looked for in the formula and the origin's name. A field still without its value
 * is passed over. Throws a ContractError for a field or a value that there is not.
 */
export const filterOf = (filter: string): Condition[] =>
  filter
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((token) => {
      const [, name, mark, value] = /^([a-z]+)(:|<=|>=|<|>|=)(.*)$/.exec(token) ?? []
      if (name && mark && value !== undefined) {
        if (value === '' && (FIELDS.has(name) || COMPARED.has(name))) return []
        return mark === ':' ? named(name, value) : numeric(name, mark, value)
      }
      if (/^#\d+$/.test(token)) return { sql: 'number = ?', values: [Number(token.slice(1))] }
      return { sql: 'instr(words, ?) > 0', values: [token] }
    })
