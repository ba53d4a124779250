import { ContractError } from '../../shared/contract.ts'
import { OP_NAMES } from '../../shared/ops.ts'

type Condition = { readonly sql: string; readonly values: readonly (string | number)[] }

const COMPARED: Readonly<Record<string, string>> = {
  acc: 'average',
  nodes: 'nodes',
  seconds: 'seconds',
  number: 'number',
}

const field = (name: string, value: string): Condition | null => {
  switch (name) {
    case 'rejected':
      return { sql: 'rejected = ?', values: [value] }
    case 'status':
      return { sql: 'status = ?', values: [value] }
    case 'origin':
      return { sql: '(kind = ? OR lower(label) = ?)', values: [value, value] }
    case 'parent':
      return { sql: 'parent = ?', values: [wholeNumber(name, value)] }
    case 'number':
      return { sql: 'number = ?', values: [wholeNumber(name, value)] }
    case 'is':
      if (value === 'alive') return { sql: 'alive = 1', values: [] }
      throw new ContractError('invalid', `filter: "is:" needs alive, got "${value}"`)
    case 'op': {
      // A beginning is enough, so that the list narrows while the name is typed.
      const mask = OP_NAMES.reduce((bits, op, i) => (op.startsWith(value) ? bits + 2 ** i : bits), 0)
      return { sql: '(ops & ?) <> 0', values: [mask] }
    }
    default:
      return null
  }
}

const wholeNumber = (name: string, value: string): number => {
  if (!/^\d+$/.test(value))
    throw new ContractError('invalid', `filter: "${name}:" needs a whole number, got "${value}"`)
  return Number(value)
}

/**
 * Conditions of a filter text, to be joined by AND: `rejected:stability acc>0.6 op:sigmoid`. Fields: rejected, status,
 * origin, parent, number, op (a beginning of its name), is:alive; comparisons (< <= > >= =) of acc, nodes, seconds,
 * number; `#12`; any other word is looked for in the formula and the origin's name. A field still without its value
 * is passed over.
 */
export const filterOf = (filter: string): Condition[] => {
  const conditions: Condition[] = []
  for (const token of filter.toLowerCase().split(/\s+/).filter(Boolean)) {
    const compared = /^([a-z]+)(<=|>=|<|>|=)(.*)$/.exec(token)
    const column = compared && COMPARED[compared[1]!]
    if (compared && column) {
      if (compared[3] === '') continue
      const value = Number(compared[3])
      if (!Number.isFinite(value))
        throw new ContractError('invalid', `filter: "${compared[1]}" needs a number, got "${compared[3]}"`)
      conditions.push({ sql: `${column} ${compared[2]} ?`, values: [value] })
      continue
    }
    if (/^#\d+$/.test(token)) {
      conditions.push({ sql: 'number = ?', values: [Number(token.slice(1))] })
      continue
    }
    const named = /^([a-z]+):(.*)$/.exec(token)
    if (
      named &&
      named[2] === '' &&
      ['rejected', 'status', 'origin', 'parent', 'number', 'op', 'is'].includes(named[1]!)
    )
      continue
    conditions.push((named && field(named[1]!, named[2]!)) ?? { sql: 'instr(words, ?) > 0', values: [token] })
  }
  return conditions
}
