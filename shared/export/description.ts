import { fingerprint, liveNodes } from '../canonical.ts'
import { formulaParts } from '../formula.ts'
import type { Graph } from '../graph.ts'
import { KNOWN } from '../known.ts'
import { OPS, type IndexSet } from '../ops.ts'
import { plainName } from './names.ts'

const WIDTH = 88

export const OVER: Readonly<Record<IndexSet, string>> = {
  nhw: 'batch and space; a moving average at inference',
  hwc: 'space and channels of a sample',
  hw: 'space of a sample and channel',
  hwg: 'space and the channels of a group',
}

/** Breaks a text at spaces so that no line passes `width`. */
const wrapped = (text: string, width = WIDTH): string[] => {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** Lines of code, moved in by spaces. */
export const indented = (lines: readonly string[], by: number): string =>
  lines.map((line) => ' '.repeat(by) + line).join('\n')

const formulaLines = (graph: Graph): string[] => {
  const { definitions, result } = formulaParts(graph)
  const whole = graph.affine ? `y = gamma * (${result}) + beta` : `y = ${result}`
  return [...definitions.map(({ name, text }) => `${name} = ${text}`), whole].flatMap((equation) =>
    wrapped(equation, WIDTH - 8).map((line, i) => `${i === 0 ? '    ' : '        '}${line}`),
  )
}

/** Index sets of the live aggregates, in table order. */
export const indexSetsOf = (graph: Graph): IndexSet[] => {
  const live = liveNodes(graph).map((node) => OPS[graph.nodes[node]!.op].over)
  return (Object.keys(OVER) as IndexSet[]).filter((set) => live.includes(set))
}

type Described = {
  readonly kind: string
  readonly layout: string
  readonly notes: readonly string[]
  readonly source?: string | undefined
}

/** Where a layer comes from: the literature, or a search; its fingerprint finds it in a store. */
const originOf = (graph: Graph, source: string | undefined): string => {
  const print = fingerprint(graph)
  const known = KNOWN.find((layer) => fingerprint(layer.graph) === print)
  const origin = known ? known.source : source === undefined ? 'not told' : plainName(source)
  return `Source: ${origin}. Fingerprint: ${print}.`
}

/** What a layer is and computes, as lines of a comment. */
export const description = (
  graph: Graph,
  name: string,
  { kind, layout, notes, source }: Described,
): string[] => [
  ...wrapped(`${plainName(name)}, a normalization-activation layer as a ${kind}. Tensors are ${layout}.`),
  '',
  ...formulaLines(graph),
  '',
  ...indexSetsOf(graph).map((set) => `${set}: over ${OVER[set]}.`),
  ...(notes.length > 0 ? ['', ...wrapped(notes.join(' '))] : []),
  '',
  ...wrapped(originOf(graph, source)),
  'Exported by NormForge. Licence: MIT, as NormForge; do with this file what you like.',
]
