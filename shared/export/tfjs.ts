import type { Graph } from '../graph.ts'
import {
  HELPERS,
  isVector,
  layerCode,
  startOf,
  vectorsOf,
  type Helper,
  type LayerCode,
  type Syntax,
} from './code.ts'
import { description, indented } from './description.ts'
import { className } from './names.ts'

const SOURCES: Readonly<Record<Helper, string>> = {
  mean: `const mean = (a, axes) => tf.mean(a, axes, true)`,
  mean_square: `const meanSquare = (a, axes) => tf.mean(tf.square(a), axes, true)`,
  variance: `const variance = (a, axes) => tf.moments(a, axes, true).variance`,
  root: `const root = (secondMoment) => tf.sqrt(tf.add(secondMoment, EPSILON))`,
  grouped: `/** \`moment\` over space and the channels of a group: one value a sample and channel. */
const grouped = (moment, a, groups) => {
  const [n, h, w, c] = a.shape
  const value = moment(tf.reshape(a, [n, h, w, groups, c / groups]), [1, 2, 4])
  return tf.reshape(tf.tile(tf.reshape(value, [n, groups, 1]), [1, 1, c / groups]), [n, 1, 1, c])
}`,
  divide: `/** a / b with |b| at least EPSILON. By steps, since tf.where has no gradient through its condition. */
const divide = (a, b) => {
  const small = tf.step(tf.sub(EPSILON, tf.abs(b)))
  const sign = tf.sub(1, tf.mul(2, tf.step(tf.neg(b))))
  return tf.div(a, tf.add(tf.mul(b, tf.sub(1, small)), tf.mul(tf.mul(sign, EPSILON), small)))
}`,
  maximum: `/** Broadcast first: the gradient of tf.maximum does not sum over axes that were broadcast. */
const maximum = (a, b) => tf.maximum(tf.add(a, tf.zerosLike(b)), tf.add(b, tf.zerosLike(a)))`,
  signed_log: `const signedLog = (a) => tf.mul(tf.sign(a), tf.log(tf.add(tf.abs(a), EPSILON)))`,
  signed_sqrt: `const signedSqrt = (a) => tf.mul(tf.sign(a), tf.sqrt(tf.add(tf.abs(a), EPSILON)))`,
}

const GROUPS_FOR = `/** The largest divisor of \`channels\` not above \`groups\`. */
const groupsFor = (channels, groups) => {
  for (let g = Math.min(groups, channels); g > 1; g--) if (channels % g === 0) return g
  return 1
}`

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const FRAMEWORK = new Set(['sigmoid', 'tanh', 'exp', 'abs', 'square'])
const ARITHMETIC = { add: 'add', subtract: 'sub', multiply: 'mul', divide: 'div' } as const

const SYNTAX: Syntax = {
  number: String,
  input: (name) => name,
  call: (name, inputs) => `${FRAMEWORK.has(name) ? 'tf.' : ''}${camel(name)}(${inputs.join(', ')})`,
  arithmetic: (op, a, b) => ({ text: `tf.${ARITHMETIC[op]}(${a.text}, ${b.text})`, level: 3 }),
  negative: (a) => ({ text: `tf.neg(${a.text})`, level: 3 }),
  moment: (moment, a, over) => {
    const operand = isVector(a) ? `tf.reshape(${a.text}, [1, 1, 1, -1])` : a.text
    return over === 'hwg'
      ? `grouped(${camel(moment)}, ${operand}, groupsFor(x.shape[3], this.groups))`
      : `${camel(moment)}(${operand}, ${over.toUpperCase()})`
  },
  batchMoment: (moment, a, moving) => {
    const operand = a.constant === null ? a.text : `tf.fill([1, 1, 1, 1], ${a.text})`
    const rank4 = isVector(a) ? `tf.reshape(${operand}, [1, 1, 1, -1])` : operand
    return `this.batch(${camel(moment)}, ${rank4}, this.${camel(moving)}, training)`
  },
}

const AXES = { NHW: '[0, 1, 2]', HWC: '[1, 2, 3]', HW: '[1, 2]' } as const

const options = ({ usesGroups, moving }: LayerCode): { name: string; value: string }[] => [
  ...(usesGroups ? [{ name: 'groups', value: '32' }] : []),
  ...(moving.length > 0 ? [{ name: 'momentum', value: '0.9' }] : []),
]

const method = (signature: string, lines: readonly string[]): string =>
  `  ${signature} {\n${indented(lines, 4)}\n  }`

const constructor = (code: LayerCode): string =>
  method('constructor(config = {})', [
    'super(config)',
    ...options(code).map(({ name, value }) => `this.${name} = config.${name} ?? ${value}`),
  ])

const build = (code: LayerCode, affine: boolean): string => {
  const trained = vectorsOf(code, affine)
  const all = [...trained.map(([, start]) => start), ...code.moving.map(({ moment }) => startOf(moment))]
  return method('build(inputShape)', [
    ...(all.length > 0 ? ['const channels = [inputShape.at(-1)]'] : []),
    ...(all.includes('zeros') ? ['const zeros = tf.initializers.zeros()'] : []),
    ...(all.includes('ones') ? ['const ones = tf.initializers.ones()'] : []),
    ...trained.map(
      ([name, start]) => `this.${name} = this.addWeight('${name}', channels, 'float32', ${start})`,
    ),
    ...code.moving.map(
      ({ name, moment }) =>
        `this.${camel(name)} = this.addWeight('${name}', channels, 'float32', ${startOf(moment)}, null, false)`,
    ),
    'super.build(inputShape)',
  ])
}

const BATCH = `  /** \`moment\` over batch and space; its moving average at inference. */
  batch(moment, a, moving, training) {
    if (!training) return moving.read()
    const value = tf.broadcastTo(tf.reshape(moment(a, NHW), [-1]), moving.shape)
    moving.write(tf.add(tf.mul(moving.read(), this.momentum), tf.mul(value, 1 - this.momentum)))
    return value
  }`

const call = (code: LayerCode, affine: boolean): string => {
  const { text, constant, samples, space, channels } = code.result
  const y = affine ? 'tf.add(tf.mul(gamma, f), beta)' : 'f'
  const whole = constant !== null || (samples && space && channels)
  const body = [
    'const x = Array.isArray(inputs) ? inputs[0] : inputs',
    ...vectorsOf(code, affine).map(([name]) => `const ${name} = this.${name}.read()`),
    ...code.statements.map(({ name, text: value }) => `const ${name} = ${value}`),
    `const f = ${constant === null ? text : `tf.fill(x.shape, ${text})`}`,
    `return ${whole ? y : `tf.broadcastTo(${y}, x.shape)`}`,
  ]
  const signature = code.moving.length > 0 ? 'call(inputs, { training = false } = {})' : 'call(inputs)'
  return method(signature, ['return tf.tidy(() => {', ...body.map((line) => `  ${line}`), '})'])
}

const config = (code: LayerCode): string => {
  const entries = options(code).map(({ name }) => `${name}: this.${name}`)
  return method('getConfig()', [`return { ${['...super.getConfig()', ...entries].join(', ')} }`])
}

/** A layer of TensorFlow.js's layers API; called alone as `layer.apply(x, { training: true })`. */
export const tfjs = (graph: Graph, name: string, source?: string): string => {
  const code = layerCode(graph, SYNTAX)
  const type = className(name)
  const methods = [
    `  static className = '${type}'`,
    constructor(code),
    build(code, graph.affine),
    method('computeOutputShape(inputShape)', ['return inputShape']),
    ...(code.moving.length > 0 ? [BATCH] : []),
    call(code, graph.affine),
    ...(options(code).length > 0 ? [config(code)] : []),
  ]
  const definition = `export class ${type} extends tf.layers.Layer {\n${methods.join('\n\n')}\n}`
  const helpers = HELPERS.filter((helper) => code.helpers.has(helper)).map((helper) => SOURCES[helper])
  const body = [...helpers, definition].join('\n')
  const constants = [
    ...(body.includes('EPSILON') ? ['const EPSILON = 1e-5'] : []),
    ...Object.entries(AXES)
      .filter(([axes]) => new RegExp(`\\b${axes}\\b`).test(body))
      .map(([axes, value]) => `const ${axes} = ${value}`),
  ]
  const comment = description(graph, name, {
    kind: 'TensorFlow.js layer',
    layout: '[batch, height, width, channels]',
    notes: [
      'TensorFlow.js has no half-precision tensors: all is float32. Where WebGL keeps textures in half precision (older',
      'phones; WEBGL_RENDER_FLOAT32_CAPABLE is false) no layer can do better; the wasm and cpu backends do.',
      'momentum is the weight of the past; variances are biased; epsilon is 1e-5.',
    ],
    source,
  })
  return `${[
    `/*\n${comment.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */`,
    "import * as tf from '@tensorflow/tfjs'",
    ...(constants.length > 0 ? [constants.join('\n')] : []),
    ...(code.usesGroups ? [GROUPS_FOR] : []),
    ...helpers,
    definition,
    `tf.serialization.registerClass(${type})`,
  ].join('\n\n')}\n`
}
