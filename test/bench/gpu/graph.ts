/** Graphs as TensorFlow is given them, read from a SavedModel's bytes. */
import { messageOf, messages, numbers, text, texts } from './message.ts'

export type Node = {
  readonly name: string
  readonly op: string
  /** `name`, `name:k` for output k, `^name` for "after". */
  readonly inputs: readonly string[]
  /** The device that the graph asks for; empty where TensorFlow is to choose. */
  readonly device: string
  /** Attributes that are types, and those that are integers, as `N`. */
  readonly types: Readonly<Record<string, number>>
  readonly integers: Readonly<Record<string, number>>
}

/** Fields by their numbers in saved_model.proto, meta_graph.proto, graph.proto and node_def.proto. */
export const nodesOf = (savedModel: Uint8Array): Node[] =>
  messages(messageOf(savedModel), 2)
    .flatMap((meta) => messages(meta, 2))
    .flatMap((graph) => messages(graph, 1))
    .map((node) => {
      const attributes = messages(node, 5).map(
        (entry) => [text(entry, 1), messages(entry, 2)[0] ?? new Map()] as const,
      )
      const firsts = (field: number): Record<string, number> =>
        Object.fromEntries(
          attributes.flatMap(([name, value]) => numbers(value, field).map((number) => [name, number])),
        )
      return {
        name: text(node, 1),
        op: text(node, 2),
        inputs: texts(node, 3),
        device: text(node, 4),
        types: firsts(6),
        integers: firsts(3),
      }
    })

/** A reference to a node's output, as its node and the output's number. */
export const referred = (reference: string): readonly [node: string, output: number] => {
  const [name = '', output = '0'] = reference.replace(/^\^/, '').split(':')
  return [name, Number(output)]
}

/** The nodes that a run needs that asks for the outputs named ("a:0,b:0"), in their order. */
export const neededFor = (nodes: readonly Node[], fetched: string): Node[] => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const needed = new Set<string>()
  const waiting = fetched.split(',').map((reference) => referred(reference)[0])
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (needed.has(name)) continue
    needed.add(name)
    waiting.push(...(byName.get(name)?.inputs ?? []).map((reference) => referred(reference)[0]))
  }
  return nodes.filter(({ name }) => needed.has(name))
}
