import type { Graph } from '../graph.ts'

/** The graph itself, dead nodes included, a node a line; `parseGraph` reads it back. */
export const json = ({ version, affine, nodes }: Graph): string => {
  const lines = nodes.map(({ op, inputs }) => `    { "op": "${op}", "inputs": [${inputs.join(', ')}] }`)
  return `{\n  "version": ${version},\n  "affine": ${affine},\n  "nodes": [\n${lines.join(',\n')}\n  ]\n}\n`
}
