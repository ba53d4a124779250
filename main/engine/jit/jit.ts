import type { Tensor, Variable } from '../runtime.ts'
import { accelerating, accelerationNow } from './accelerate.ts'
import { createProgram, type Program } from './program.ts'
import type { Spec, Step } from './recorder.ts'
import type { Functions } from './session.ts'
import type { Variables } from './storage.ts'

export type Compiled = {
  /** Tensors in, tensors out; dispose of both. */
  (...inputs: Tensor[]): Tensor[]
  /** A variable's value as it is now. */
  read(variable: Variable): Tensor
  dispose(): void
}

/**
 * One function of tensors, recorded as a native graph when it is first called, and again for inputs of other shapes:
 *
 *     const step = jit((images, rate) => [loss], { variables })
 *     const [loss] = step(images, rate)
 *     step.dispose()
 *
 * It means what the function means; see createProgram, which is for several functions over the same variables.
 */
export const jit = (
  step: Step,
  options: { readonly variables: Variables; readonly eager?: boolean },
): Compiled => {
  const { variables, ...how } = options
  const acceleration = accelerationNow()
  let program: Program<Functions> | undefined
  const call = (...inputs: Tensor[]): Tensor[] => {
    const specs = inputs.map(({ shape, dtype }) => ({ shape, dtype: dtype as Spec['dtype'] }))
    const create = () => createProgram(variables, { step: { step, inputs: specs } }, how)
    program ??= accelerating(acceleration, create)
    return program.run('step', ...inputs)
  }
  return Object.assign(call, {
    read: (variable: Variable) => program?.read(variable) ?? variable.clone(),
    dispose: () => program?.dispose(),
  })
}
