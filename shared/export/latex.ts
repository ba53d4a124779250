import { formulaLatex } from '../formula.ts'
import type { Graph } from '../graph.ts'
import { OVER, indexSetsOf } from './description.ts'
import { plainName } from './names.ts'

const INDICES = { nhw: 'b,w,h', hwc: 'w,h,c', hw: 'w,h', hwg: 'w,h,c/g' } as const

/** An equation in the paper's notation, with a comment that says what its symbols mean. */
export const latex = (graph: Graph, name: string): string => {
  const close = (result: string): string =>
    `y = ${graph.affine ? `\\gamma \\left(${result}\\right) + \\beta` : result}`
  const formula = formulaLatex(graph, close)
  const notes = [
    `${plainName(name)}, exported by NormForge.`,
    ...indexSetsOf(graph).map((set) => `${INDICES[set]}: over ${OVER[set]}.`),
    ...(formula.includes('s^2_') ? ['s^2 is the biased variance.'] : []),
    ...(formula.includes('{slog}') ? ['slog(x) = sign(x) ln(|x| + eps).'] : []),
    ...(formula.includes('{ssqrt}') ? ['ssqrt(x) = sign(x) sqrt(|x| + eps).'] : []),
    'eps = 1e-5 under every root and as the least magnitude of a denominator.',
  ]
  return `${notes.map((note) => `% ${note}`).join('\n')}\n\\begin{equation}\n  ${formula}\n\\end{equation}\n`
}
