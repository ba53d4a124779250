/**
 * Loads TensorFlow.js's native runtime, once a process. Settings (threads, oneDNN) are read by TensorFlow while it
 * loads, so that `loadRuntime` must be called before anything else of the engine.
 */
import { createRequire } from 'node:module'
import util from 'node:util'
import type * as TensorFlow from '@tensorflow/tfjs-node-gpu'
import type { Xla } from '../workers/protocol.ts'
import { replaceStridedPointwise } from './pointwise.ts'
import { traceBinding, traceExecutor } from './trace.ts'

export type Tf = typeof TensorFlow
export type Tensor = TensorFlow.Tensor
export type Variable = TensorFlow.Variable

/** What the native addon offers (tfjs_binding.d.ts), as far as the engine uses it. */
export type OpAttribute = { name: string; type: number; value: unknown }
export type TensorInfo = { id: number; shape: number[]; dtype: number }
export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array
export type Binding = {
  createTensor(shape: number[], dtype: number, values: Values): number
  deleteTensor(id: number): void
  tensorDataSync(id: number): Values
  executeOp(name: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorInfo[]
  loadSavedModel(folder: string, tags: string): number
  deleteSavedModel(id: number): void
  runSavedModel(id: number, inputs: number[], inputNames: string, outputNames: string): TensorInfo[]
  isUsingGpuDevice(): boolean
  readonly TF_Version: string
} & Readonly<Record<(typeof CONSTANTS)[number], number>>

const CONSTANTS = [
  ...['TF_FLOAT', 'TF_INT32', 'TF_INT64', 'TF_BOOL', 'TF_UINT8'],
  ...['TF_ATTR_STRING', 'TF_ATTR_INT', 'TF_ATTR_FLOAT', 'TF_ATTR_BOOL', 'TF_ATTR_TYPE', 'TF_ATTR_SHAPE'],
] as const

/** tfjs-node's backend: how tensors of tfjs map to tensors of TensorFlow. */
export type Backend = {
  binding: Binding
  tensorMap: { get(dataId: object): { id: number; shape: number[]; dtype: number; values: Values | null } }
  /** Keeps a new tensor's values until an op takes them. */
  move(dataId: object, values: Values, shape: number[], dtype: string, references: number): void
  read(dataId: object): Promise<Values>
  readSync(dataId: object): Values
  getInputTensorIds(tensors: readonly Tensor[]): number[]
  createOutputTensor(info: TensorInfo): Tensor
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: Tensor[]): Tensor
  executeMultipleOutputs(name: string, attributes: OpAttribute[], inputs: Tensor[], outputs: number): Tensor[]
}

export type Runtime = {
  readonly tf: Tf
  readonly backend: Backend
  readonly binding: Binding
  /** What it was loaded with. */
  readonly options: RuntimeOptions
}
export type RuntimeOptions = {
  readonly threads?: number
  readonly oneDnn?: boolean
  /** Convolutions and matrix products in bfloat16 (jit/bfloat16.ts). */
  readonly mixedPrecision?: boolean | undefined
  /** Which programs XLA compiles (xla.ts): none, all, or those of networks that it pays for. */
  readonly xla?: Xla | undefined
  /** Writes each op to stderr when it starts (trace.ts). */
  readonly traceOps?: boolean | undefined
}

let loaded: Runtime | undefined

/** Loads TensorFlow with the given settings; later calls give the same runtime, whatever their settings. */
export const loadRuntime = (options: RuntimeOptions = {}): Runtime => {
  if (loaded) return loaded
  const { threads = 1, oneDnn = true } = options
  if (options.traceOps) traceExecutor()
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  process.env.TF_ENABLE_ONEDNN_OPTS ??= oneDnn ? '1' : '0'
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads)
  process.env.TF_NUM_INTEROP_THREADS ??= String(threads)
  // Several workers share a GPU: none may take its whole memory at once.
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'
  restoreNodeUtil()
  const tf = requireTf()
  const backend = backendOf(tf)
  // The addon's object is read-only and the recorder must stand in for it: one copy, made once.
  backend.binding = Object.assign(Object.create(null), copyOf(backend.binding)) as Binding
  const { deleteTensor } = backend.binding
  if (options.traceOps) traceBinding(backend.binding)
  // Tensors that existed only while a step was recorded have negative ids, and may be disposed of at any later time.
  backend.binding.deleteTensor = (id) => (id < 0 ? undefined : deleteTensor(id))
  replaceStridedPointwise(tf, backend)
  loaded = { tf, backend, binding: backend.binding, options }
  return loaded
}

/** tfjs-node calls two functions of `util` that Node took out, or warns of. */
const restoreNodeUtil = (): void => {
  const legacy = util as {
    isNullOrUndefined?: (value: unknown) => boolean
    isArray?: (value: unknown) => boolean
  }
  legacy.isNullOrUndefined = (value) => value === null || value === undefined
  legacy.isArray = Array.isArray
}

const requireTf = (): Tf => {
  try {
    return createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as Tf
  } catch (error) {
    const first = (error as Error).message.split('\n')[0]
    throw new Error(
      `engine: the TensorFlow runtime does not load (${first}); "npm run doctor" says what is missing`,
      {
        cause: error,
      },
    )
  }
}

const backendOf = (tf: Tf): Backend => {
  const backend: unknown = tf.backend()
  const missing = [
    'binding',
    'tensorMap',
    'move',
    'read',
    'readSync',
    'getInputTensorIds',
    'createOutputTensor',
    'executeSingleOutput',
    'executeMultipleOutputs',
  ].filter((key) => !(key in (backend as object)))
  const binding = (backend as Backend).binding
  const unknown = CONSTANTS.filter((name) => typeof binding?.[name] !== 'number')
  if (missing.length + unknown.length > 0)
    throw new Error(
      `engine: needs tfjs-node-gpu 4.22's backend, got one without ${[...missing, ...unknown].join(', ')}`,
    )
  return backend as Backend
}

const copyOf = (binding: Binding): Record<string, unknown> => {
  const copy: Record<string, unknown> = {}
  const source = binding as Record<string, unknown>
  for (const key of Object.getOwnPropertyNames(binding)) {
    const value = source[key]
    copy[key] = typeof value === 'function' ? value.bind(binding) : value
  }
  return copy
}

/** Runs one TensorFlow op by name. Used by the engine's own kernels. */
export const runOp = (name: string, attributes: OpAttribute[], inputs: Tensor[], outputs = 1): Tensor[] =>
  loadRuntime().backend.executeMultipleOutputs(name, attributes, inputs, outputs)

/** Attributes of an op, by type. */
export const attribute = {
  type: (name: string, value: number): OpAttribute => ({
    name,
    type: loadRuntime().binding.TF_ATTR_TYPE,
    value,
  }),
  float32: (name = 'T'): OpAttribute => attribute.type(name, loadRuntime().binding.TF_FLOAT),
  int: (name: string, value: number | number[]): OpAttribute => ({
    name,
    type: loadRuntime().binding.TF_ATTR_INT,
    value,
  }),
  float: (name: string, value: number): OpAttribute => ({
    name,
    type: loadRuntime().binding.TF_ATTR_FLOAT,
    value,
  }),
  bool: (name: string, value: boolean): OpAttribute => ({
    name,
    type: loadRuntime().binding.TF_ATTR_BOOL,
    value,
  }),
  string: (name: string, value: string): OpAttribute => ({
    name,
    type: loadRuntime().binding.TF_ATTR_STRING,
    value,
  }),
}
