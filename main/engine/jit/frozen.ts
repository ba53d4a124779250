/** Frozen TensorFlow graphs: a GraphDef whose weights are constants, as other programs write them. */
import { readBytes } from '../../files.ts'
import { loadRuntime, type Tensor } from '../runtime.ts'
import { vetGraph, type VettedGraph } from './graphDef.ts'
import { loadGraph } from './session.ts'

export type FrozenGraph = {
  /** Names of its nodes. */
  readonly nodes: ReadonlySet<string>
  /** Runs it from `input` to `outputs`, names of nodes; dispose of both. */
  run(input: string, value: Tensor, outputs: readonly string[]): Tensor[]
  dispose(): void
}

/** Bytes of a file: the Inception graph of 2015 has 95 MB. */
const LARGEST = 2 ** 28

/** A file's graph, checked but not loaded; see `vetGraph`. */
export const readFrozenGraph = (file: string): VettedGraph =>
  vetGraph(readBytes(file, { who: 'frozen graph', most: LARGEST }), `frozen graph: ${file}`)

export const loadFrozenGraph = ({ nodes, bytes }: VettedGraph): FrozenGraph => {
  const { backend, binding } = loadRuntime()
  const session = loadGraph(asSavedModel(bytes))
  return {
    nodes,
    run: (input, value, outputs) =>
      binding
        .runSavedModel(
          session,
          backend.getInputTensorIds([value]),
          `${input}:0`,
          outputs.map((name) => `${name}:0`).join(','),
        )
        .map((info) => backend.createOutputTensor(info)),
    dispose: () => binding.deleteSavedModel(session),
  }
}

/**
 * A GraphDef's bytes within those of a SavedModel tagged `serve`. The messages are put together by hand, so that a large
 * graph is neither parsed nor written anew: fields of TensorFlow's saved_model.proto and meta_graph.proto by their numbers.
 */
export const asSavedModel = (graph: Uint8Array): Uint8Array => {
  const info = field(1, field(4, Buffer.from('serve')))
  const version = Buffer.from([(1 << 3) | 0, 1])
  return Buffer.concat([version, field(2, Buffer.concat([info, field(2, graph)]))])
}

/** A field of bytes: its number with the wire type 2, its length, its content. */
const field = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content])

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
