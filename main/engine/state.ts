/** What training has changed, by names that say what is the backbone's: one network can then lend it to another. */
import { EnvironmentError } from '../workers/protocol.ts'
import type { Parameters } from './parameters.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'

export type State = ReadonlyMap<string, Float32Array>

/** How many of a network's trainable tensors, and of its moving statistics, are its backbone's: the first ones. */
export type BackboneSize = { readonly trainable: number; readonly statistics: number }

/** Weights, velocities and moving statistics. */
export const namedVariables = (
  { parameters, backbone }: { readonly parameters: Parameters; readonly backbone: BackboneSize },
  velocities: readonly Variable[],
): Map<string, Variable> =>
  new Map([
    ...named(parameters.trainable, 'weights', backbone.trainable),
    ...named(velocities, 'velocities', backbone.trainable),
    ...named(parameters.statistics, 'statistics', backbone.statistics),
  ])

const named = (variables: readonly Variable[], kind: string, backbone: number): [string, Variable][] =>
  variables.map((variable, i) => [
    i < backbone ? `backbone/${kind}/${i}` : `heads/${kind}/${i - backbone}`,
    variable,
  ])

/** Whether a name is of what one network can take over from another. */
export const isBackbone = (name: string): boolean => /^backbone\/(weights|statistics)\//.test(name)

/** Sets variables to a state from a file: a whole network's, or its backbone alone. An EnvironmentError if it does not fit. */
export const restore = (variables: ReadonlyMap<string, Variable>, state: State): void => {
  const { tf } = loadRuntime()
  const backbone = [...state.keys()].every(isBackbone)
  for (const name of variables.keys())
    if (!state.has(name) && (!backbone || isBackbone(name)))
      throw new EnvironmentError(`checkpoint: lacks ${name}, which this network has`)
  for (const [name, values] of state) {
    const variable = variables.get(name)
    if (!variable) throw new EnvironmentError(`checkpoint: has ${name}, which this network lacks`)
    if (variable.size !== values.length)
      throw new EnvironmentError(
        `checkpoint: ${name} needs ${variable.size} values ([${variable.shape}]), got ${values.length}`,
      )
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape) as typeof variable))
  }
}

/** Copies values, given in the order of `order`, and disposes of them. */
export const stateOf = (
  variables: ReadonlyMap<string, Variable>,
  order: readonly Variable[],
  values: readonly Tensor[],
): Map<string, Float32Array> => {
  const place = new Map(order.map((variable, i) => [variable, i]))
  const state = [...variables].map(([name, variable]): [string, Float32Array] => [
    name,
    values[place.get(variable)!]!.dataSync<'float32'>().slice(),
  ])
  for (const tensor of values) tensor.dispose()
  return new Map(state)
}
