import type { Graph } from '../graph.ts'
import { isVector, layerCode, startOf, vectorsOf, type Helper, type LayerCode, type Syntax } from './code.ts'
import { indented } from './description.ts'
import { className } from './names.ts'
import { fileOf, pythonArithmetic, pythonNegative, pythonNumber } from './python.ts'

const HELPERS: Readonly<Record<Helper, string>> = {
  mean: `def mean(a, axes):
    return jnp.mean(a, axes, keepdims=True)`,
  mean_square: `def mean_square(a, axes):
    return jnp.mean(jnp.square(a), axes, keepdims=True)`,
  variance: `def variance(a, axes):
    return jnp.var(a, axes, keepdims=True)`,
  root: `def root(second_moment):
    return jnp.sqrt(second_moment + EPSILON)`,
  grouped: `def grouped(moment, a, groups):
    """\`moment\` over space and the channels of a group: one value a sample and channel."""
    n, h, w, c = a.shape
    value = moment(a.reshape(n, h, w, groups, c // groups), (1, 2, 4))
    return jnp.repeat(value.reshape(n, 1, 1, groups), c // groups, axis=-1)`,
  divide: `def divide(a, b):
    """a / b with |b| at least EPSILON."""
    least = jnp.where(b < 0, -EPSILON, EPSILON)
    return a / jnp.where(jnp.abs(b) < EPSILON, least, b)`,
  maximum: `def maximum(a, b):
    """The larger of two; ties give the gradient to the first."""
    return jnp.where(a >= b, a, b)`,
  signed_log: `def signed_log(a):
    return jnp.sign(a) * jnp.log(jnp.abs(a) + EPSILON)`,
  signed_sqrt: `def signed_sqrt(a):
    return jnp.sign(a) * jnp.sqrt(jnp.abs(a) + EPSILON)`,
}

const FRAMEWORK: Readonly<Record<string, string>> = {
  sigmoid: 'nn.sigmoid',
  tanh: 'jnp.tanh',
  exp: 'jnp.exp',
  abs: 'jnp.abs',
  square: 'jnp.square',
}

const SYNTAX: Syntax = {
  number: pythonNumber,
  input: (name) => name,
  call: (name, inputs) => `${FRAMEWORK[name] ?? name}(${inputs.join(', ')})`,
  arithmetic: pythonArithmetic,
  negative: pythonNegative,
  moment: (moment, a, over) => {
    const operand = isVector(a) ? `jnp.reshape(${a.text}, (1, 1, 1, -1))` : a.text
    return over === 'hwg'
      ? `grouped(${moment}, ${operand}, groups_for(x.shape[-1], self.groups))`
      : `${moment}(${operand}, ${over.toUpperCase()})`
  },
  batchMoment: (moment, a, moving) => {
    const operand = a.constant === null ? a.text : `jnp.full((1, 1, 1, 1), ${a.text})`
    const rank4 = isVector(a) ? `jnp.reshape(${operand}, (1, 1, 1, -1))` : operand
    return `self.batch(${moment}, ${rank4}, ${moving}, train)`
  },
}

const BATCH = `    def batch(self, moment, a, moving, train):
        """\`moment\` over batch and space; its moving average at inference."""
        if not train:
            return moving.value
        value = jnp.broadcast_to(moment(a, NHW).reshape(-1), moving.value.shape).astype(moving.value.dtype)
        if not self.is_initializing():
            moving.value = self.momentum * moving.value + (1 - self.momentum) * value
        return value`

const call = (code: LayerCode, affine: boolean): string => {
  const { text, constant, samples, space, channels } = code.result
  const y = affine ? 'gamma * f + beta' : 'f'
  const whole = constant !== null || (samples && space && channels)
  const vectors = vectorsOf(code, affine)
  const lines = [
    ...(vectors.length + code.moving.length > 0 ? ['channels = (x.shape[-1],)'] : []),
    'dtype = self.dtype or x.dtype',
    '# Half precision holds neither squares of 300 nor sums of many: all is computed in float32.',
    'x = x.astype(jnp.promote_types(x.dtype, jnp.float32))',
    ...vectors.map(
      ([name, start]) =>
        `${name} = self.param("${name}", nn.initializers.${start}, channels, self.param_dtype).astype(x.dtype)`,
    ),
    ...code.moving.map(
      ({ name, moment }) =>
        `${name} = self.variable("batch_stats", "${name}", jnp.${startOf(moment)}, channels, x.dtype)`,
    ),
    ...code.statements.map((statement) => `${statement.name} = ${statement.text}`),
    `f = ${constant === null ? text : `jnp.full_like(x, ${text})`}`,
    `y = ${whole ? y : `jnp.broadcast_to(${y}, x.shape)`}`,
    'return y.astype(dtype)',
  ]
  return `    @nn.compact\n    def __call__(self, x: jax.Array, train: bool = True) -> jax.Array:\n${indented(lines, 8)}`
}

/** A Flax (linen) module; `train` says whether batch statistics are the batch's, whether or not it has any. */
export const flax = (graph: Graph, name: string, source?: string): string => {
  const code = layerCode(graph, SYNTAX)
  const fields = [
    ...(code.usesGroups ? ['groups: int = 32'] : []),
    ...(code.moving.length > 0 ? ['momentum: float = 0.9'] : []),
    'dtype: Any = None',
    'param_dtype: Any = jnp.float32',
  ]
  const members = [indented(fields, 4), ...(code.moving.length > 0 ? [BATCH] : []), call(code, graph.affine)]
  return fileOf(graph, name, code, {
    kind: 'Flax (linen) module',
    layout: '[batch, height, width, channels]',
    notes: [
      'dtype is that of the result (None: of x), param_dtype that of the parameters, as in flax.linen.BatchNorm. Half',
      'precision is computed in float32; moving averages are float32.',
      'momentum is the weight of the past; variances are biased; epsilon is 1e-5. It stands where a model has',
      'nn.BatchNorm and the activation after it, as norm=partial(Layer, ...) where a model takes its norm as an argument.',
    ],
    source,
    imports: 'from typing import Any\n\nimport jax\nimport jax.numpy as jnp\nfrom flax import linen as nn',
    helpers: HELPERS,
    axes: { NHW: '(0, 1, 2)', HWC: '(1, 2, 3)', HW: '(1, 2)' },
    definition: `class ${className(name)}(nn.Module):\n${members.join('\n\n')}`,
  })
}
