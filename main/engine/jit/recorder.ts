/**
 * Records what plain tfjs code asks of the native addon, without running it: while a function runs, the recorder stands
 * in the addon's place (intercept.ts), every op becomes a node of a native graph, and only shapes flow through the
 * JavaScript.
 */
import { loadRuntime, type OpAttribute, type Tensor, type Variable, type Values } from '../runtime.ts'
import { callerLine } from './caller.ts'
import { drawingByOps } from './chance.ts'
import { intercept } from './intercept.ts'
import type { Out } from './known.ts'
import type { AttributeValue, GraphOp } from './proto.ts'
import { DT, outputsOf, type Known } from './shapes.ts'
import { declare, isTogether, joined, type Pack, type Variables } from './storage.ts'

export type Spec = { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' }
/** A function of tensors; a list of results. It may assign to the declared variables. */
export type Step = (...inputs: Tensor[]) => Tensor[]
export type Recorded = {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whether it changes variables. */
  readonly writes: boolean
}

/** Tensors that exist only while recording have negative ids, which the addon never gives (and never sees: runtime.ts). */
let nextFake = -2

const DTYPES = { float32: DT.float, int32: DT.int32 }
const ARRAYS: Record<number, { from(values: ArrayLike<number>): Values }> = {
  [DT.float]: Float32Array,
  [DT.int32]: Int32Array,
  [DT.bool]: Uint8Array,
  [DT.uint8]: Uint8Array,
}

/** The recorder of the step under recording, for ops that update variables in place. */
let active: Recorder | undefined
export const activeRecorder = (): Recorder | undefined => active
const activate = (recorder: Recorder | undefined): void => {
  active = recorder
}

export class Recorder {
  readonly ops: GraphOp[] = []
  readonly packs: readonly Pack[]
  /** Shape and type of what variables and a step's ops give, by the reference to it (`name` or `name:k`). */
  readonly outs = new Map<string, Out>()
  /** Each variable, with the pack that keeps it and the op that gives its value. */
  readonly #variables: readonly { variable: Variable; pack: Pack; read: string }[]
  readonly #kinds = new Map<number, string>()
  readonly #references = new Map<number, string>()
  readonly #known = new Map<number, Known>()
  #updates: string[] = []
  #count = 0
  readonly #push = (op: string, inputs: readonly string[], attributes: GraphOp['attributes']): string => {
    const name = `n${this.#count++}`
    this.ops.push({ name, op, inputs, attributes })
    return name
  }

  constructor(variables: Variables, container: string) {
    const { binding } = loadRuntime()
    for (const kind of ['STRING', 'INT', 'FLOAT', 'BOOL', 'TYPE', 'SHAPE'] as const)
      this.#kinds.set(binding[`TF_ATTR_${kind}`], kind)
    this.packs = declare(variables, container, this.#push)
    this.#variables = this.packs.flatMap((pack) =>
      pack.variables.map((variable, i) => ({ variable, pack, read: pack.values[i]! })),
    )
    for (const { read, shape, dtype } of this.packs) this.outs.set(read, { shape: [...shape], dtype })
    for (const { variable, pack, read } of this.#variables)
      this.outs.set(read, { shape: variable.shape, dtype: pack.dtype })
  }

  placeholder({ shape, dtype }: Spec): string {
    const type = DTYPES[dtype]
    const name = this.#push('Placeholder', [], { dtype: { type }, shape: { shape } })
    this.outs.set(name, { shape: [...shape], dtype: type })
    return name
  }

  /** Ops that write given values into all packs; the result is fetched to run them. */
  assignAll(): { inputs: string[]; output: string } {
    const inputs: string[] = []
    const writes = this.packs.map(({ handle, shape, dtype }) => {
      const value = this.#push('Placeholder', [], { dtype: { type: dtype }, shape: { shape } })
      inputs.push(value)
      return this.#push('AssignVariableOp', [handle, value], { dtype: { type: dtype } })
    })
    return { inputs, output: this.#done(writes) }
  }

  /** The op that reads a variable's value. */
  readOf(variable: Variable): string {
    const entry = this.#variables.find((other) => other.variable === variable)
    if (!entry) throw new Error(`jit: variable ${variable.name} was not declared to the program`)
    return this.#push('Identity', [entry.read], { T: { type: entry.pack.dtype } })
  }

  #done(after: readonly string[]): string {
    const one = { tensor: { dtype: DT.float, shape: [], values: Float32Array.of(1) } }
    const constant = this.#push('Const', [], { dtype: { type: DT.float }, value: one })
    return this.#push('Identity', [constant, ...after.map((name) => `^${name}`)], { T: { type: DT.float } })
  }

  /**
   * Adds an op that updates variables in place (an optimizer's). `targets` come before `inputs`: a variable kept alone,
   * or the list of those kept together, which is updated as a whole. It runs after their reading, and before the
   * step's results are given.
   */
  update(op: string, targets: Variables, inputs: readonly Tensor[], attributes: GraphOp['attributes']): void {
    const packs = targets.map((target) => this.#packOf(target, op))
    const ids = loadRuntime().backend.getInputTensorIds(inputs)
    const names = [
      ...packs.map(({ handle }) => handle),
      ...ids.map((id) => this.#reference(id, op)),
      ...packs.map(({ read }) => `^${read}`),
    ]
    this.#updates.push(this.#push(op, names, attributes))
  }

  /** The value of variables kept together as one flat tensor, as `update` takes it. */
  whole(variables: readonly Variable[]): Tensor {
    const { shape, dtype, read } = this.#packOf(variables, 'the step')
    const info = { id: nextFake--, shape: [...shape], dtype }
    this.#references.set(info.id, read)
    this.#known.set(info.id, info)
    return loadRuntime().backend.createOutputTensor(info)
  }

  #packOf(target: Variable | readonly Variable[], op: string): Pack {
    const list = isTogether(target) ? target : [target]
    const pack = this.packs.find(
      ({ variables }) => variables.length === list.length && variables.every((v, i) => v === list[i]),
    )
    if (pack) return pack
    const names = list.map(({ name }) => name).join(', ')
    throw new Error(`jit: ${op} updates ${names}, which was not declared to the program in that way`)
  }

  /** Runs `step` on placeholders and records what it does. Variables keep their values. */
  record(step: Step, specs: readonly Spec[]): Recorded {
    const { tf, backend } = loadRuntime()
    const before = this.#variables.map(({ variable }) => variable.dataId)
    const held = this.#variables.map(({ variable }) => variable.clone())
    const inputs = specs.map((spec) => this.placeholder(spec))
    this.#updates = []
    let [outputs, writing]: [string[], boolean] = [[], false]
    activate(this)
    try {
      this.#variables.forEach(({ variable, read, pack }) => {
        const id = backend.getInputTensorIds([variable])[0]!
        this.#references.set(id, read)
        this.#known.set(id, { shape: variable.shape, dtype: pack.dtype })
      })
      const listener = { executeOp: this.#executeOp, createTensor: this.#createTensor, reads: this.#reads }
      const body = (): void => {
        const tensors = specs.map((spec, i) => {
          const info = { id: nextFake--, shape: [...spec.shape], dtype: DTYPES[spec.dtype] }
          this.#references.set(info.id, inputs[i]!)
          this.#known.set(info.id, info)
          return backend.createOutputTensor(info)
        })
        const results = step(...tensors)
        if (!Array.isArray(results)) throw new Error('jit: the step gives no list of tensors')
        const changed = this.#variables.filter(({ variable }, i) => variable.dataId !== before[i])
        const writes = this.packs.flatMap((pack) => {
          if (!changed.some((entry) => entry.pack === pack)) return []
          const ids = pack.variables.map((variable) => backend.getInputTensorIds([variable])[0]!)
          const value = joined(
            pack,
            ids.map((id) => this.#reference(id, 'a variable')),
            this.#push,
          )
          const { handle, read, dtype } = pack
          // A plain assignment must not overtake the step's own reading of the old value.
          return [this.#push('AssignVariableOp', [handle, value, `^${read}`], { dtype: { type: dtype } })]
        })
        const after = [...writes, ...this.#updates].map((name) => `^${name}`)
        writing = after.length > 0
        outputs = results.map((tensor) => {
          const id = backend.getInputTensorIds([tensor])[0]!
          return this.#push('Identity', [this.#reference(id, 'an output'), ...after], {
            T: { type: this.#known.get(id)!.dtype },
          })
        })
        this.#variables.forEach(({ variable }, i) => {
          if (variable.dataId !== before[i]) variable.assign(held[i]!)
        })
      }
      intercept(listener, () => drawingByOps(() => tf.tidy(body)))
    } finally {
      activate(undefined)
      held.forEach((tensor) => tensor.dispose())
    }
    return { inputs, outputs, writes: writing }
  }

  readonly #createTensor = (shape: number[], dtype: number, values: Values | number[]): number => {
    const id = nextFake--
    const typed = ArrayBuffer.isView(values) ? values : ARRAYS[dtype]!.from(values)
    this.#known.set(id, { shape: [...shape], dtype, values: typed })
    return id
  }

  readonly #executeOp = (op: string, attributes: OpAttribute[], ids: number[], count: number) => {
    const inputs = ids.map((id) => this.#known.get(id) ?? this.#captured(op))
    const named = Object.fromEntries(attributes.map(({ name, value }) => [name, value]))
    const outputs = this.#inferred(op, inputs, named)
      .slice(0, count)
      .map((out) => ({ ...out, id: nextFake-- }))
    for (const out of outputs) this.#known.set(out.id, out)

    const references = ids.map((id) => this.#reference(id, op))
    const name = this.#push(op, references, this.#attributes(op, attributes, inputs))
    outputs.forEach(({ id, shape, dtype }, i) => {
      const reference = i === 0 ? name : `${name}:${i}`
      this.#references.set(id, reference)
      this.outs.set(reference, { shape, dtype })
    })
    return outputs
  }

  #attributes(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly Known[],
  ): Record<string, AttributeValue> {
    const result: Record<string, AttributeValue> = {}
    for (const attribute of attributes)
      if (attribute.value !== undefined && attribute.value !== null)
        result[attribute.name] = {
          op: attribute,
          kind: this.#kinds.get(attribute.type) ?? String(attribute.type),
        }
    // tfjs leaves the types out where eager execution infers them.
    if (op === 'ExpandDims') result.Tdim ??= { type: DT.int32 }
    if (op === 'ExpandDims' || op === 'Squeeze') result.T ??= { type: inputs[0]!.dtype }
    return result
  }

  #inferred(...of: Parameters<typeof outputsOf>): ReturnType<typeof outputsOf> {
    try {
      return outputsOf(...of)
    } catch (error) {
      throw new Error(`${(error as Error).message} (${callerLine()})`, { cause: error })
    }
  }

  /** A constant's own values; of anything else the step has none. */
  readonly #reads = (id: number | null): Values => {
    const constant = id === null ? undefined : this.#known.get(id)?.values
    if (constant) return constant as Values
    const node = id === null ? undefined : this.#references.get(id)?.split(':')[0]
    const made = this.ops.find(({ name }) => name === node)?.op
    const whose =
      made === 'Placeholder' ? 'an input' : made ? `what ${made} gives` : 'a tensor made outside of it'
    throw new Error(
      `jit: the step reads the values of ${whose} (dataSync, data, array, print), which a recorded step has not (${callerLine()})`,
    )
  }

  #captured(op: string): never {
    throw new Error(
      `jit: the step gives ${op} a tensor made outside of it; declare it as an input or a variable (${callerLine()})`,
    )
  }

  #reference(id: number, user: string): string {
    const known = this.#references.get(id)
    if (known) return known
    const constant = this.#known.get(id)
    if (!constant?.values) return this.#captured(user)
    const { shape, dtype } = constant
    const values = constant.values as Values
    const name = this.#push('Const', [], {
      dtype: { type: dtype },
      value: { tensor: { dtype, shape, values } },
    })
    this.#references.set(id, name)
    return name
  }
}
