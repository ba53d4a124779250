/** Where a graph's ops would run on a GPU, what of it is left to the host, and how many kernels it launches. */
import { referred, type Node } from './graph.ts'
import type { Argument, Kernel, Registry } from './registry.ts'

export type Placement = {
  /** Kernels that the GPU is given, before TensorFlow's own optimizer merges some. */
  readonly launches: number
  /** Ops that no kernel is there for on a GPU, as "Op (T float)", with how often. */
  readonly missing: ReadonlyMap<string, number>
  /** Ops whose kernel for a GPU computes in the host's memory: shapes and other integers. */
  readonly onHost: ReadonlyMap<string, number>
  /** Values that are computed on the GPU and waited for by the host within the run, as "Op → Op.input". */
  readonly waits: ReadonlyMap<string, number>
  /** Ops that the graph itself ties to a device. */
  readonly pinned: ReadonlyMap<string, number>
}

/** Ops that launch nothing: they name, hold or rename what is there. */
const STILL = new Set(
  (
    'Const Placeholder Identity IdentityN NoOp Reshape ExpandDims Squeeze VarHandleOp ReadVariableOp Shape ' +
    'StopGradient VarIsInitializedOp'
  ).split(' '),
)

const TYPES: Readonly<Record<number, string>> = {
  ...{ 1: 'float', 2: 'double', 3: 'int32', 4: 'uint8', 7: 'string', 9: 'int64', 10: 'bool' },
  ...{ 14: 'bfloat16', 19: 'half', 20: 'resource' },
}

/** The kernel that an op gets on a GPU: one made for it, else one for any device; undefined where none suits its types. */
export const kernelFor = (node: Node, registry: Registry): Kernel | undefined => {
  const defaults = registry.ops.get(node.op)?.defaults
  const suiting = (registry.kernels.get(node.op) ?? []).filter(({ types }) =>
    [...types].every(([name, allowed]) => allowed.includes(node.types[name] ?? defaults?.get(name) ?? 0)),
  )
  return ['GPU', 'DEFAULT'].map((wanted) => suiting.find(({ device }) => device === wanted)).find(Boolean)
}

export const placed = (nodes: readonly Node[], registry: Registry): Placement => {
  const counts = { missing: new Map(), onHost: new Map(), waits: new Map(), pinned: new Map() } as Record<
    'missing' | 'onHost' | 'waits' | 'pinned',
    Map<string, number>
  >
  const count = (kind: keyof typeof counts, what: string): void =>
    void counts[kind].set(what, (counts[kind].get(what) ?? 0) + 1)
  const kernels = new Map(nodes.map((node) => [node.name, kernelFor(node, registry)]))
  const byName = new Map(nodes.map((node) => [node.name, node]))

  /** Whether an op has its k-th input or output in the host's memory. */
  const inHost = (node: Node, side: 'inputs' | 'outputs', k: number): boolean => {
    const kernel = kernels.get(node.name)
    const name = namesOf(node, registry.ops.get(node.op)?.[side] ?? [])[k]
    return kernel === undefined || (name !== undefined && kernel.host.has(name))
  }
  let launches = 0
  for (const node of nodes) {
    if (node.device !== '') count('pinned', `${node.op} to ${node.device}`)
    const outputs = namesOf(node, registry.ops.get(node.op)?.outputs ?? [])
    const ownMemory = outputs.some((_, k) => !inHost(node, 'outputs', k)) || outputs.length === 0
    if (kernels.get(node.name) === undefined) count('missing', described(node))
    else if (STILL.has(node.op)) continue
    else if (ownMemory) launches++
    else count('onHost', described(node))
    node.inputs.forEach((reference, k) => {
      const [from, output] = referred(reference)
      const source = byName.get(from)
      // What the host gives it has: constants and what is fed.
      if (!source || reference.startsWith('^') || ['Const', 'Placeholder'].includes(source.op)) return
      if (inHost(node, 'inputs', k) && !inHost(source, 'outputs', output))
        count(
          'waits',
          `${source.op} → ${node.op}.${namesOf(node, registry.ops.get(node.op)?.inputs ?? [])[k]}`,
        )
    })
  }
  return { launches, ...counts }
}

/** The names of all tensors that go in or come out, lists spread out. */
const namesOf = ({ integers }: Node, args: readonly Argument[]): string[] =>
  args.flatMap(({ name, count }) => Array<string>(count === '' ? 1 : (integers[count] ?? 1)).fill(name))

const described = ({ op, types }: Node): string => {
  const given = Object.entries(types).map(([name, type]) => `${name} ${TYPES[type] ?? type}`)
  return given.length > 0 ? `${op} (${given.join(', ')})` : op
}
