/**
 * `jit` for tfjs-node: functions of tensors over shared variables, each recorded once as a native TensorFlow graph
 * and then run as one call.
 *
 *     const program = createProgram(variables, {
 *       train: { step: (images, labels, rate) => [loss], inputs: [{ shape, dtype }, …] },
 *       predict: { step: (images) => [logits], inputs: […] },
 *     })
 *     const [loss] = program.run('train', images, labels, rate)   // tensors in, tensors out; dispose of both
 *     program.read(variable)                                       // a variable's value, from the session
 *     program.dispose()
 *
 * A program means what calling the functions eagerly means; `eager: true` (or NORMFORGE_EAGER=1) does just that.
 * Variables in a list (`createProgram([weights, [...vectors]], …)`) are kept together as one native variable.
 * All functions are recorded up front into one graph, so that one session holds their variables. A recorded step
 * can't read values, and can't use tensors that are neither inputs, variables nor constants it makes itself.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { loadRuntime, type Tensor, type Variable } from '../runtime.ts'
import { optimized } from './passes/index.ts'
import { savedModel } from './proto.ts'
import { Recorder, type Recorded, type Spec, type Step } from './recorder.ts'
import type { Pack, Variables } from './storage.ts'

export type Functions = Readonly<Record<string, { readonly step: Step; readonly inputs: readonly Spec[] }>>
export type Program<F extends Functions> = {
  run(name: keyof F & string, ...inputs: Tensor[]): Tensor[]
  read(variable: Variable): Tensor
  /** The values of all variables in order, in one call: reading each by itself costs one optimisation each. */
  readAll(): Tensor[]
  dispose(): void
  /** Nodes of the native graph; 0 when eager. */
  readonly nodes: number
}

let programs = 0

export const createProgram = <F extends Functions>(
  variables: Variables,
  functions: F,
  { eager = process.env.NORMFORGE_EAGER === '1' } = {},
): Program<F> => (eager ? eagerProgram(variables, functions) : compiledProgram(variables, functions))

const checkInputs = (name: string, specs: readonly Spec[], inputs: readonly Tensor[]): void => {
  const needed = specs.map((spec) => `${spec.dtype}[${spec.shape}]`).join(', ')
  const got = inputs.map((tensor) => `${tensor.dtype}[${tensor.shape}]`).join(', ')
  if (needed !== got) throw new Error(`jit: ${name} needs inputs ${needed}; got ${got}`)
}

const eagerProgram = <F extends Functions>(declared: Variables, functions: F): Program<F> => ({
  run: (name, ...inputs) => {
    const { step, inputs: specs } = functions[name]!
    checkInputs(name, specs, inputs)
    return loadRuntime().tf.tidy(() => step(...inputs))
  },
  read: (variable) => variable.clone(),
  readAll: () => (declared.flat() as Variable[]).map((variable) => variable.clone()),
  dispose: () => undefined,
  nodes: 0,
})

const compiledProgram = <F extends Functions>(declared: Variables, functions: F): Program<F> => {
  const { backend, binding } = loadRuntime()
  const variables = declared.flat() as Variable[]
  const recorder = new Recorder(declared, `program${programs++}`)
  const recorded = new Map<string, Recorded>()
  for (const [name, { step, inputs }] of Object.entries(functions))
    recorded.set(name, recorder.record(step, inputs))
  const start = recorder.assignAll()
  const reads = new Map(variables.map((variable) => [variable, recorder.readOf(variable)]))
  const fetched = [
    start.output,
    ...reads.values(),
    ...[...recorded.values()].flatMap(({ outputs }) => outputs),
  ]
  const ops = optimized(recorder.ops, recorder.outs, [
    ...fetched,
    ...start.inputs,
    ...[...recorded.values()].flatMap((r) => r.inputs),
  ])
  const session = loadGraph(savedModel(ops))

  const list = (names: readonly string[]): string => names.map((name) => `${name}:0`).join(',')
  const call = (inputs: readonly Tensor[], inputNames: string, outputNames: string): Tensor[] =>
    binding
      .runSavedModel(session, backend.getInputTensorIds(inputs), inputNames, outputNames)
      .map((info) => backend.createOutputTensor(info))
  const names = new Map([...recorded].map(([name, r]) => [name, [list(r.inputs), list(r.outputs)] as const]))

  loadRuntime().tf.tidy(() => {
    call(recorder.packs.map(wholeOf), list(start.inputs), list([start.output]))
  })
  return {
    run: (name, ...inputs) => {
      checkInputs(name, functions[name]!.inputs, inputs)
      return call(inputs, ...names.get(name)!)
    },
    read: (variable) => {
      const name = reads.get(variable)
      if (!name) throw new Error(`jit: variable ${variable.name} was not declared to the program`)
      return call([], '', list([name]))[0]!
    },
    readAll: () => (variables.length > 0 ? call([], '', list([...reads.values()])) : []),
    dispose: () => binding.deleteSavedModel(session),
    nodes: ops.length,
  }
}

/** The values of variables kept together, end to end. */
const wholeOf = ({ variables }: Pack): Tensor => {
  const { tf } = loadRuntime()
  if (variables.length === 1) return variables[0]!
  return tf.concat(variables.map((variable) => variable.flatten()))
}

/** Loads a graph as a session. The addon reads it from a folder, which goes at once. */
export const loadGraph = (bytes: Uint8Array): number => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-graph-'))
  try {
    fs.writeFileSync(path.join(folder, 'saved_model.pb'), bytes)
    return loadRuntime().binding.loadSavedModel(`${folder}/`, 'serve')
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
