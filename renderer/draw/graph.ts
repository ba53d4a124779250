/** Where the nodes and edges of a layer's graph go. */
import { graphlib, layout } from '@dagrejs/dagre'
import { curveBasis, line } from 'd3'
import { liveNodes } from '../../shared/canonical.ts'
import { INPUTS, outputIndex, type Graph } from '../../shared/graph.ts'
import { OPS, type IndexSet, type OpName } from '../../shared/ops.ts'

export type GraphBox = {
  /** Tensor index: 0..3 are the inputs, 4 + i is `nodes[i]`; `OUTPUT` is the layer's output. */
  readonly tensor: number
  readonly kind: 'input' | 'unary' | 'binary' | 'aggregate' | 'output'
  readonly op: OpName | null
  readonly label: string
  /** Index set of an aggregate, as the paper writes it. */
  readonly over: string | null
  readonly live: boolean
  /** Centre. */
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}
export type GraphEdge = {
  readonly from: number
  readonly to: number
  readonly live: boolean
  readonly path: string
  /** Which operand this is, where the order matters. */
  readonly operand: { readonly text: string; readonly x: number; readonly y: number } | null
}
export type GraphDrawing = {
  readonly width: number
  readonly height: number
  /** Inputs first, then nodes in order, then the output. */
  readonly boxes: readonly GraphBox[]
  readonly edges: readonly GraphEdge[]
}

/** Stands for the layer's output, after its closing affine. */
export const OUTPUT = -1

const HEIGHT = 30
const MARGIN = 10
const INPUT_LABELS = ['x', '0', 'v₀', 'v₁'] as const
export const INDEX_TEXT: Readonly<Record<IndexSet, string>> = {
  nhw: 'b,w,h',
  hwc: 'w,h,c',
  hw: 'w,h',
  hwg: 'w,h,c/g',
}
/** Signs say more than names in a small box. */
const LABELS: Readonly<Partial<Record<OpName, string>>> = {
  add: '+',
  mul: '×',
  div: '÷',
  neg: '−',
  sigmoid: 'σ',
  square: 'x²',
  sqrt: '√',
  abs: '|x|',
  exp: 'exp',
  log: 'ln',
}
const label = (op: OpName): string => OPS[op].moment ?? LABELS[op] ?? op

const widthOf = (op: OpName): number => {
  const { over } = OPS[op]
  if (over) return 46 + INDEX_TEXT[over].length * 6.2
  return Math.max(40, 22 + label(op).length * 8)
}

export type GraphOptions = {
  /** Also the nodes the output does not depend on. */
  readonly dead?: boolean
  /** Graphs to share the places with: the same slot is then at the same place in all of them. */
  readonly beside?: readonly Graph[]
}

/**
 * Lays a graph out from the inputs at the top to the output at the bottom. With `beside`, from the nodes and edges of
 * all the graphs together, since they differ in a slot or two and may be compared or flicked through.
 */
export const graphDrawing = (
  graph: Graph,
  { dead = false, beside = [] }: GraphOptions = {},
): GraphDrawing => {
  const all = [graph, ...beside]
  const plan = new graphlib.Graph().setGraph({
    rankdir: 'TB',
    nodesep: 22,
    ranksep: 30,
    edgesep: 14,
    marginx: MARGIN,
    marginy: MARGIN,
  })
  plan.setDefaultEdgeLabel(() => ({}))
  // An unseen source keeps the inputs together at the top.
  plan.setNode('source', { width: 0, height: 0 })
  for (const each of all) {
    const output = { width: each.affine ? 92 : 64, height: HEIGHT }
    plan.setNode(String(OUTPUT), output)
    for (const tensor of shown(each, dead)) {
      const node = each.nodes[tensor - INPUTS.length]
      const width = node ? widthOf(node.op) : 34
      const name = String(tensor)
      const before = plan.hasNode(name) ? (plan.node(name).width ?? 0) : 0
      plan.setNode(name, { width: Math.max(width, before), height: HEIGHT })
      if (!node) plan.setEdge('source', name, { weight: 20, minlen: 1 })
    }
  }
  for (const each of all)
    for (const { from, to } of edgesOf(each, dead)) plan.setEdge(String(from), String(to), { weight: 1 })
  layout(plan)
  return read(graph, dead, plan)
}

type Plan = InstanceType<typeof graphlib.Graph>
type Point = { x: number; y: number }

/** Tensors to be drawn, ascending: inputs that are used, and nodes. */
const shown = (graph: Graph, dead: boolean): number[] => {
  const nodes = dead ? graph.nodes.map((_, i) => i) : liveNodes(graph)
  const inputs = new Set(nodes.flatMap((i) => graph.nodes[i]!.inputs.filter((t) => t < INPUTS.length)))
  return [...[...inputs].sort((a, b) => a - b), ...nodes.map((i) => INPUTS.length + i)]
}

const edgesOf = (graph: Graph, dead: boolean): { from: number; to: number; slot: number }[] => [
  ...shown(graph, dead).flatMap((tensor) =>
    (graph.nodes[tensor - INPUTS.length]?.inputs ?? []).map((from, slot) => ({ from, to: tensor, slot })),
  ),
  { from: outputIndex(graph), to: OUTPUT, slot: 0 },
]

const read = (graph: Graph, dead: boolean, plan: Plan): GraphDrawing => {
  const live = new Set(liveNodes(graph).map((i) => INPUTS.length + i))
  const usedLive = new Set([...live].flatMap((tensor) => graph.nodes[tensor - INPUTS.length]!.inputs))
  // Without the row of the unseen source.
  const rows = plan.nodes().filter((name: string) => name !== 'source')
  const top = Math.min(...rows.map((name: string) => (plan.node(name) as Point).y))
  const up = top - HEIGHT / 2 - MARGIN
  const boxes = [...shown(graph, dead), OUTPUT].map((tensor): GraphBox => {
    const at = plan.node(String(tensor)) as Point
    const [x, y] = [at.x, at.y - up]
    const node = graph.nodes[tensor - INPUTS.length]
    const place = { tensor, x, y, height: HEIGHT }
    if (tensor === OUTPUT)
      return {
        ...place,
        kind: 'output',
        op: null,
        label: graph.affine ? 'γ · y + β' : 'output',
        over: null,
        live: true,
        width: graph.affine ? 92 : 64,
      }
    if (!node)
      return {
        ...place,
        kind: 'input',
        op: null,
        label: INPUT_LABELS[tensor]!,
        over: null,
        live: usedLive.has(tensor),
        width: 34,
      }
    const { kind, over } = OPS[node.op]
    return {
      ...place,
      kind,
      op: node.op,
      label: label(node.op),
      over: over ? INDEX_TEXT[over] : null,
      live: live.has(tensor),
      width: widthOf(node.op),
    }
  })
  const seen = new Map<string, number>()
  const edges = edgesOf(graph, dead).map(({ from, to, slot }): GraphEdge => {
    const key = `${from}>${to}`
    const twin = seen.get(key) ?? 0
    seen.set(key, twin + 1)
    const points = (plan.edge(String(from), String(to)) as { points: Point[] }).points
    // The second of two equal operands runs beside the first.
    const bent = points.map((p, i) => ({
      x: p.x + (twin === 0 ? 0 : i === 0 || i === points.length - 1 ? 7 : 14),
      y: p.y - up,
    }))
    const node = graph.nodes[to - INPUTS.length]
    const ordered = node && OPS[node.op].arity === 2 && !OPS[node.op].commutative
    const end = bent.at(-1)!
    const before = bent.at(-2) ?? end
    return {
      from,
      to,
      live: to === OUTPUT || live.has(to),
      path: curve(bent) ?? '',
      operand: ordered
        ? { text: slot === 0 ? 'x' : 'y', x: end.x + (before.x < end.x ? -9 : 9), y: end.y - 7 }
        : null,
    }
  })
  const { width = 0, height = 0 } = plan.graph() as { width?: number; height?: number }
  return { width, height: height - up, boxes, edges }
}

const curve = line<Point>()
  .x((p) => p.x)
  .y((p) => p.y)
  .curve(curveBasis)
