import type { Graph } from '../graph.ts'
import { isVector, layerCode, startOf, vectorsOf, type Helper, type LayerCode, type Syntax } from './code.ts'
import { indented } from './description.ts'
import { className } from './names.ts'
import { fileOf, pythonArithmetic, pythonNegative, pythonNumber } from './python.ts'

const HELPERS: Readonly<Record<Helper, string>> = {
  mean: `def mean(a, axes):
    return ops.mean(a, axis=axes, keepdims=True)`,
  mean_square: `def mean_square(a, axes):
    return ops.mean(ops.square(a), axis=axes, keepdims=True)`,
  variance: `def variance(a, axes):
    return ops.var(a, axis=axes, keepdims=True)`,
  root: `def root(second_moment):
    return ops.sqrt(second_moment + EPSILON)`,
  grouped: `def grouped(moment, a, groups):
    """\`moment\` over space and the channels of a group: one value a sample and channel."""
    _, h, w, c = ops.shape(a)
    value = moment(ops.reshape(a, (-1, h, w, groups, c // groups)), (1, 2, 4))
    return ops.repeat(ops.reshape(value, (-1, 1, 1, groups)), c // groups, axis=-1)`,
  divide: `def divide(a, b):
    """a / b with |b| at least EPSILON."""
    sign = 1 - 2 * ops.cast(b < 0, b.dtype)
    return a / ops.where(ops.abs(b) < EPSILON, sign * EPSILON, b)`,
  maximum: `def maximum(a, b):
    """The larger of two; ties give the gradient to the first."""
    return ops.where(a >= b, a, b)`,
  signed_log: `def signed_log(a):
    return ops.sign(a) * ops.log(ops.abs(a) + EPSILON)`,
  signed_sqrt: `def signed_sqrt(a):
    return ops.sign(a) * ops.sqrt(ops.abs(a) + EPSILON)`,
}

const FRAMEWORK = new Set(['sigmoid', 'tanh', 'exp', 'abs', 'square'])

const SYNTAX: Syntax = {
  number: pythonNumber,
  input: (name) => name,
  call: (name, inputs) => `${FRAMEWORK.has(name) ? 'ops.' : ''}${name}(${inputs.join(', ')})`,
  arithmetic: pythonArithmetic,
  negative: pythonNegative,
  moment: (moment, a, over) => {
    const operand = isVector(a) ? `ops.reshape(${a.text}, (1, 1, 1, -1))` : a.text
    return over === 'hwg'
      ? `grouped(${moment}, ${operand}, groups_for(x.shape[-1], self.groups))`
      : `${moment}(${operand}, ${over.toUpperCase()})`
  },
  batchMoment: (moment, a, moving) => {
    const operand = a.constant === null ? a.text : `ops.full_like(self.${moving}, ${a.text})`
    const rank4 = a.constant !== null || isVector(a) ? `ops.reshape(${operand}, (1, 1, 1, -1))` : operand
    return `self.batch(${moment}, ${rank4}, self.${moving}, training)`
  },
}

const BATCH = `    def batch(self, moment, a, moving, training):
        """\`moment\` over batch and space; its moving average at inference."""
        if not training:
            return ops.cast(moving, a.dtype)
        value = ops.broadcast_to(ops.reshape(moment(a, NHW), (-1,)), moving.shape)
        latest = ops.cast(ops.stop_gradient(value), moving.dtype)
        moving.assign(moving * self.momentum + latest * (1 - self.momentum))
        return value`

const options = ({ usesGroups, moving }: LayerCode): { name: string; value: string }[] => [
  ...(usesGroups ? [{ name: 'groups', value: '32' }] : []),
  ...(moving.length > 0 ? [{ name: 'momentum', value: '0.9' }] : []),
]

const constructor = (code: LayerCode): string => {
  const lines = ['super().__init__(**kwargs)', ...options(code).map(({ name }) => `self.${name} = ${name}`)]
  const signature = ['self', ...options(code).map(({ name, value }) => `${name}=${value}`), '**kwargs']
  return `    def __init__(${signature.join(', ')}):\n${indented(lines, 8)}`
}

const build = (code: LayerCode, affine: boolean): string => {
  const trained = vectorsOf(code, affine)
  const lines = [
    ...trained.map(
      ([name, start]) =>
        `self.${name} = self.add_weight(channels, "${start}", autocast=False, name="${name}")`,
    ),
    ...(code.moving.length > 0 ? ['statistic = at_least_float32(self.variable_dtype)'] : []),
    ...code.moving.map(
      ({ name, moment }) =>
        `self.${name} = self.add_weight(
    channels, "${startOf(moment)}", dtype=statistic, trainable=False, autocast=False, name="${name}"
)`,
    ),
  ]
  if (lines.length === 0) return ''
  return `    def build(self, input_shape):\n${indented(['channels = (input_shape[-1],)', ...lines].join('\n').split('\n'), 8)}`
}

const call = (code: LayerCode, affine: boolean): string => {
  const { statements, result, moving } = code
  const { text, constant, samples, space, channels } = result
  const y = affine ? 'gamma * f + beta' : 'f'
  const whole = constant !== null || (samples && space && channels)
  const lines = [
    '# Half precision holds neither squares of 300 nor sums of many: all is computed in float32.',
    'x = ops.cast(x, at_least_float32(x.dtype))',
    ...vectorsOf(code, affine).map(([name]) => `${name} = ops.cast(self.${name}, x.dtype)`),
    ...statements.map((statement) => `${statement.name} = ${statement.text}`),
    `f = ${constant === null ? text : `ops.full_like(x, ${text})`}`,
    `y = ${whole ? y : `ops.broadcast_to(${y}, ops.shape(x))`}`,
    'return ops.cast(y, self.compute_dtype)',
  ]
  return `    def call(self, x${moving.length > 0 ? ', training=False' : ''}):\n${indented(lines, 8)}`
}

const config = (code: LayerCode): string => {
  if (options(code).length === 0) return ''
  const entries = options(code).map(({ name }) => `"${name}": self.${name}`)
  return `    def get_config(self):\n        return {**super().get_config(), ${entries.join(', ')}}`
}

const WIDE = `def at_least_float32(dtype):
    return "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"`

const OUTPUT_SHAPE = `    def compute_output_shape(self, input_shape):
        return input_shape`

/** A Keras 3 layer, on any of its backends. */
export const keras = (graph: Graph, name: string, source?: string): string => {
  const code = layerCode(graph, SYNTAX)
  const methods = [
    constructor(code),
    build(code, graph.affine),
    ...(code.moving.length > 0 ? [BATCH] : []),
    call(code, graph.affine),
    OUTPUT_SHAPE,
    config(code),
  ]
  return fileOf(graph, name, code, {
    kind: 'Keras layer',
    layout: '[batch, height, width, channels]',
    notes: [
      'Half precision (mixed_float16, mixed_bfloat16, float16): computed in float32, the result is cast back; moving',
      'averages stay float32.',
      'momentum is the weight of the past, as in keras.layers.BatchNormalization; variances are biased; epsilon is 1e-5.',
      'In a model it stands for a BatchNormalization and the activation after it; keras.models.clone_model with a',
      'clone_function puts it into one that is built.',
    ],
    source,
    imports: 'import keras\nfrom keras import ops',
    helpers: HELPERS,
    axes: { NHW: '(0, 1, 2)', HWC: '(1, 2, 3)', HW: '(1, 2)' },
    definition: `${WIDE}


@keras.saving.register_keras_serializable(package="normforge")
class ${className(name)}(keras.layers.Layer):
${methods.filter((method) => method !== '').join('\n\n')}`,
  })
}
