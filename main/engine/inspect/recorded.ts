/** A network's step of training as TensorFlow is given it. */
import type { Graph } from '../../../shared/graph.ts'
import type { ArchitectureConfig, TrainingConfig } from '../../../shared/records.ts'
import type { Out } from '../jit/known.ts'
import { pruned } from '../jit/passes/pruned.ts'
import { graphDef, type AttributeValue, type GraphOp } from '../jit/proto.ts'
import { recordingsIn } from '../jit/session.ts'
import { hasKernels } from '../kernels.ts'
import { loadRuntime } from '../runtime.ts'
import { createTrainer } from '../training.ts'
import { plansOf } from './listings.ts'
import { planText } from '../../../shared/symbolic/plan.ts'

export type RecordedStep = {
  readonly ops: readonly GraphOp[]
  readonly outs: ReadonlyMap<string, Out>
  /** Its GraphDef, which TensorFlow and Netron read. */
  readonly bytes: Uint8Array
  /** Shapes of x `[batch, height, width, channels]` at the layer's sites; null where TensorFlow's ops compute the layer. */
  readonly sites: readonly (readonly number[])[] | null
}

/** Records a network's step of training, as the engine runs it on this machine. */
export const recordedStep = (
  architecture: ArchitectureConfig,
  graph: Graph,
  { training, imageSize }: { readonly training: TrainingConfig; readonly imageSize: number },
): RecordedStep => {
  loadRuntime()
  const [recording] = recordingsIn(() =>
    createTrainer({
      architecture,
      graph,
      training,
      imageSize,
      classes: 10,
      seed: 1,
      evaluationBatch: training.batchSize,
      eager: false,
    }).dispose(),
  )
  const { inputs, outputs } = recording!.recorded.get('train')!
  const ops = pruned(recording!.ops, [...inputs, ...outputs])
  const { outs } = recording!
  const plan = planText(plansOf(graph).forward)
  const sites = ops.filter(({ attributes }) => sameShapeOfPlan(attributes.plan, plan))
  return {
    ops,
    outs,
    bytes: graphDef(ops),
    sites: hasKernels() ? sites.map(({ inputs }) => outs.get(inputs[0]!)?.shape ?? []) : null,
  }
}

/** Whether an op's plan is the layer's forward, whatever the weight of its moving averages. */
const sameShapeOfPlan = (attribute: AttributeValue | undefined, plan: string): boolean => {
  if (attribute === undefined || !('op' in attribute)) return false
  const words = (text: string): string => text.replace(/-?\d+\.\d+(e-?\d+)?/g, '#')
  return words(String(attribute.op.value)) === words(plan)
}

/** The graph's ops by kind, most first; then each with its shape and inputs. */
export const graphLines = ({ ops, outs }: Pick<RecordedStep, 'ops' | 'outs'>): string[] => {
  const counts = new Map<string, number>()
  for (const { op } of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  return [
    `${ops.length} nodes: ${[...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([op, count]) => `${count} ${op}`)
      .join(', ')}`,
    ...ops.map(({ name, op, inputs }) => {
      const shape = outs.get(name)?.shape
      return `${name.padEnd(6)} ${op}${shape ? ` [${shape.join(', ')}]` : ''}${inputs.length > 0 ? ` <- ${inputs.join(' ')}` : ''}`
    }),
  ]
}
