/** What the Python targets share: expressions, and the frame of a file. */
import type { Graph } from '../graph.ts'
import { HELPERS, type Helper, type LayerCode, type Syntax, type Value } from './code.ts'
import { description } from './description.ts'

export const pythonNumber = (value: number): string => {
  if (Number.isNaN(value)) return 'float("nan")'
  if (!Number.isFinite(value)) return value > 0 ? 'float("inf")' : '-float("inf")'
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value)
}

const at = (value: Value, level: number): string => (value.level < level ? `(${value.text})` : value.text)
const INFIX = { add: '+', subtract: '-', multiply: '*', divide: '/' } as const

export const pythonArithmetic: Syntax['arithmetic'] = (op, a, b) => {
  const sum = op === 'add' || op === 'subtract'
  const left = at(a, sum ? 0 : 1)
  const right = at(b, sum ? 1 : op === 'multiply' ? 2 : 3)
  // A minus right behind an operator would be legal, and hard to read.
  return { text: `${left} ${INFIX[op]} ${right.startsWith('-') ? `(${right})` : right}`, level: sum ? 0 : 1 }
}

export const pythonNegative: Syntax['negative'] = (a) => ({ text: `-${at(a, 3)}`, level: 2 })

const GROUPS_FOR = `def groups_for(channels: int, groups: int) -> int:
    """The largest divisor of \`channels\` not above \`groups\`."""
    return max(g for g in range(1, min(groups, channels) + 1) if channels % g == 0)`

export type PythonFile = {
  readonly kind: string
  readonly layout: string
  /** What users of the framework need to know, as lines of the file's docstring. */
  readonly notes: readonly string[]
  /** Where the layer comes from, as a search and its number. */
  readonly source?: string | undefined
  readonly imports: string
  readonly helpers: Readonly<Record<Helper, string>>
  readonly axes: Readonly<Record<'NHW' | 'HWC' | 'HW', string>>
  readonly definition: string
}

/** The whole file: docstring, imports, the constants and helpers that the definition calls, the definition. */
export const fileOf = (graph: Graph, name: string, code: LayerCode, file: PythonFile): string => {
  const helpers = HELPERS.filter((helper) => code.helpers.has(helper)).map((helper) => file.helpers[helper])
  const source = [...helpers, file.definition].join('\n')
  const constants = [
    ...(/\bEPSILON\b/.test(source) ? ['EPSILON = 1e-5'] : []),
    ...Object.entries(file.axes)
      .filter(([axes]) => new RegExp(`\\b${axes}\\b`).test(source))
      .map(([axes, value]) => `${axes} = ${value}`),
  ]
  const opening = [
    `"""\n${description(graph, name, file).join('\n')}\n"""`,
    file.imports,
    ...(constants.length > 0 ? [constants.join('\n')] : []),
  ].join('\n\n')
  return `${[opening, ...(code.usesGroups ? [GROUPS_FOR] : []), ...helpers, file.definition].join('\n\n\n')}\n`
}
