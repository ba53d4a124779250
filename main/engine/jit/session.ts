import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { loadRuntime, type Tensor, type Variable } from '../runtime.ts'
import { accelerated } from './accelerate.ts'
import { optimized } from './passes/index.ts'
import type { Out } from './known.ts'
import { savedModel, type GraphOp } from './proto.ts'
import { Recorder, type Recorded, type Spec, type Step } from './recorder.ts'
import type { Pack, Variables } from './storage.ts'

export type Functions = Readonly<Record<string, { readonly step: Step; readonly inputs: readonly Spec[] }>>

/** Functions recorded for inputs of fixed shapes as one native graph, with its own copy of the variables. */
export type Session = {
  run(name: string, inputs: readonly Tensor[]): Tensor[]
  /** Whether a function changes variables. */
  writes(name: string): boolean
  read(variable: Variable): Tensor
  /** The values of all variables in order, in one call: reading each by itself costs one optimisation each. */
  readAll(): Tensor[]
  /** The variables' values as they are kept, for another session's `restore`. */
  save(): Tensor[]
  restore(saved: readonly Tensor[]): void
  dispose(): void
  /** Nodes of the native graph. */
  readonly nodes: number
}

let sessions = 0

/** Records functions and loads them; the variables start from the values they have outside. */
export const openSession = (variables: Variables, functions: Functions): Session => {
  const { backend, binding, tf } = loadRuntime()
  const { ops, recorded, packs, start, reads } = recordAll(variables, functions)
  const session = loadGraph(savedModel(ops))
  const nodes = ops.length

  const list = (names: readonly string[]): string => names.map((name) => `${name}:0`).join(',')
  const call = (inputs: readonly Tensor[], inputNames: string, outputNames: string): Tensor[] =>
    binding
      .runSavedModel(session, backend.getInputTensorIds(inputs), inputNames, outputNames)
      .map((info) => backend.createOutputTensor(info))
  const fetched = (names: readonly string[]): Tensor[] => (names.length > 0 ? call([], '', list(names)) : [])
  const names = new Map([...recorded].map(([name, r]) => [name, [list(r.inputs), list(r.outputs)] as const]))
  const writing = new Set([...recorded].flatMap(([name, { writes }]) => (writes ? [name] : [])))
  const restore = (saved: readonly Tensor[]): void =>
    tf.dispose(call(saved, list(start.inputs), list([start.output])))

  tf.tidy(() => restore(packs.map(wholeOf)))
  return {
    run: (name, inputs) => call(inputs, ...names.get(name)!),
    writes: (name) => writing.has(name),
    read: (variable) => {
      const name = reads.get(variable)
      if (!name) throw new Error(`jit: variable ${variable.name} was not declared to the program`)
      return call([], '', list([name]))[0]!
    },
    readAll: () => fetched([...reads.values()]),
    save: () => fetched(packs.map(({ read }) => read)),
    restore,
    dispose: () => binding.deleteSavedModel(session),
    nodes,
  }
}

/** What was recorded for a session: its native graph, and what each function feeds and fetches. */
export type Recording = {
  readonly ops: readonly GraphOp[]
  /** Outputs of ops, by the references to them. */
  readonly outs: ReadonlyMap<string, Out>
  readonly recorded: ReadonlyMap<string, Recorded>
}
let watched: Recording[] | null = null
/** What is recorded while `run` runs, in its order. */
export const recordingsIn = (run: () => void): readonly Recording[] => {
  const recordings: Recording[] = []
  watched = recordings
  try {
    run()
  } finally {
    watched = null
  }
  return recordings
}

/** A function of its own, so that no session keeps the recorder, and every step's constants, alive. */
const recordAll = (declared: Variables, functions: Functions) => {
  const recorder = new Recorder(declared, `session${sessions++}`)
  const recorded = new Map<string, Recorded>()
  for (const [name, { step, inputs }] of Object.entries(functions))
    recorded.set(name, recorder.record(step, inputs))
  const start = recorder.assignAll()
  const variables = declared.flat() as Variable[]
  const reads = new Map(variables.map((variable) => [variable, recorder.readOf(variable)]))
  const { packs, outs } = recorder
  const kept = [
    ...[start.output, ...start.inputs],
    ...[...reads.values(), ...packs.map(({ read }) => read)],
    ...[...recorded.values()].flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
  ]
  const ops = accelerated(optimized(recorder.ops, outs, kept), outs)
  watched?.push({ ops, outs, recorded })
  return { ops, recorded, packs, start, reads }
}

/** The values of variables kept together, end to end. */
const wholeOf = ({ variables }: Pack): Tensor => {
  const { tf } = loadRuntime()
  if (variables.length === 1) return variables[0]!
  return tf.concat(variables.map((variable) => variable.flatten()))
}

/** Loads a graph as a session of TensorFlow. The addon reads it from a folder, which goes at once. */
export const loadGraph = (bytes: Uint8Array): number => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-graph-'))
  try {
    fs.writeFileSync(path.join(folder, 'saved_model.pb'), bytes)
    return loadRuntime().binding.loadSavedModel(`${folder}/`, 'serve')
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
