/** Frozen TensorFlow graphs: a GraphDef whose weights are constants, as other programs write them. */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { loadRuntime, type Tensor } from '../runtime.ts'
import { loadGraph } from './session.ts'

export type FrozenGraph = {
  /** Names of its nodes. */
  readonly nodes: ReadonlySet<string>
  /** Runs it from `input` to `outputs`, names of nodes; dispose of both. */
  run(input: string, value: Tensor, outputs: readonly string[]): Tensor[]
  dispose(): void
}

type GraphDef = { getNodeList(): { getName(): string }[] }
type Proto = { readonly GraphDef: { deserializeBinary(bytes: Uint8Array): GraphDef } }

export const loadFrozenGraph = (file: string): FrozenGraph => {
  const { backend, binding } = loadRuntime()
  const bytes = fs.readFileSync(file)
  const nodes = new Set(namesOf(bytes, file))
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

const namesOf = (bytes: Uint8Array, file: string): string[] => {
  const proto = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as Proto
  try {
    return proto.GraphDef.deserializeBinary(bytes)
      .getNodeList()
      .map((node) => node.getName())
  } catch (error) {
    throw new Error(`frozen graph: ${file} is no TensorFlow GraphDef (${(error as Error).message})`, {
      cause: error,
    })
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
