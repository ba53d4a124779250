/**
 * Functions of tensors over shared variables, each recorded once as a native TensorFlow graph and then run as one call.
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
 * All functions are recorded up front for the shapes they name, into one graph, so that one session holds their variables.
 * A function that is run on other shapes (the last, smaller batch) is recorded for them when that first happens. A
 * recorded step can't read values, and can't use tensors that are neither inputs, variables nor constants it makes itself.
 */
import { loadRuntime, type Tensor, type Variable } from '../runtime.ts'
import { accelerating, accelerationNow } from './accelerate.ts'
import type { Spec } from './recorder.ts'
import { openSession, type Functions, type Session } from './session.ts'
import type { Variables } from './storage.ts'

export type { Functions }
export type Program<F extends Functions> = {
  run(name: keyof F & string, ...inputs: Tensor[]): Tensor[]
  read(variable: Variable): Tensor
  /** The values of all variables in order, in one call: reading each by itself costs one optimisation each. */
  readAll(): Tensor[]
  dispose(): void
  /** Nodes of the native graph of the shapes named; 0 when eager. */
  readonly nodes: number
}

/** Recordings kept for other shapes than those named; the one that was used longest ago goes. */
export const OTHER_SHAPES = 4

export const createProgram = <F extends Functions>(
  variables: Variables,
  functions: F,
  { eager = process.env.NORMFORGE_EAGER === '1' } = {},
): Program<F> => (eager ? eagerProgram(variables, functions) : compiledProgram(variables, functions))

const textOf = (specs: readonly Spec[]): string =>
  specs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join(', ')

/** What a function is given. Sizes may differ from those that it names; number, types and ranks may not. */
const checkedInputs = (name: string, specs: readonly Spec[], inputs: readonly Tensor[]): Spec[] => {
  const given = inputs.map(({ shape, dtype }) => ({ shape, dtype: dtype as Spec['dtype'] }))
  const kindsOf = (list: readonly Spec[]) => list.map(({ dtype, shape }) => `${dtype} ${shape.length}`).join()
  if (kindsOf(specs) !== kindsOf(given))
    throw new Error(`jit: ${name} needs inputs ${textOf(specs)}; got ${textOf(given)}`)
  return given
}

const eagerProgram = <F extends Functions>(declared: Variables, functions: F): Program<F> => ({
  run: (name, ...inputs) => {
    const { step, inputs: specs } = functions[name]!
    checkedInputs(name, specs, inputs)
    return loadRuntime().tf.tidy(() => step(...inputs))
  },
  read: (variable) => variable.clone(),
  readAll: () => (declared.flat() as Variable[]).map((variable) => variable.clone()),
  dispose: () => undefined,
  nodes: 0,
})

const compiledProgram = <F extends Functions>(declared: Variables, functions: F): Program<F> => {
  const { tf } = loadRuntime()
  const acceleration = accelerationNow()
  const main = openSession(declared, functions)
  const others = new Map<string, Session>()
  /** Sessions whose variables have the values of now. */
  let current = new Set([main])
  const newest = (): Session => [...current][0]!

  const bringUpToDate = (session: Session): void => {
    if (current.has(session)) return
    const values = newest().save()
    if (values.length > 0) session.restore(values)
    tf.dispose(values)
    current.add(session)
  }
  const close = (key: string, session: Session): void => {
    bringUpToDate(main)
    current.delete(session)
    others.delete(key)
    session.dispose()
  }
  const sessionFor = (name: string, inputs: readonly Tensor[]): Session => {
    const { step, inputs: named } = functions[name]!
    const given = checkedInputs(name, named, inputs)
    if (textOf(given) === textOf(named)) return main
    const key = `${name}(${textOf(given)})`
    const open = () => openSession(declared, { [name]: { step, inputs: given } })
    const session = others.get(key) ?? accelerating(acceleration, open)
    others.delete(key)
    others.set(key, session)
    if (others.size > OTHER_SHAPES) close(...[...others][0]!)
    return session
  }
  return {
    run: (name, ...inputs) => {
      const session = sessionFor(name, inputs)
      bringUpToDate(session)
      const results = session.run(name, inputs)
      if (session.writes(name)) current = new Set([session])
      return results
    },
    read: (variable) => newest().read(variable),
    readAll: () => newest().readAll(),
    dispose: () => {
      for (const session of [main, ...others.values()]) session.dispose()
    },
    nodes: main.nodes,
  }
}
