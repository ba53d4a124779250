import type { Graph } from '../graph.ts'
import { layerCode, startOf, vectorsOf, type Helper, type LayerCode, type Syntax } from './code.ts'
import { indented } from './description.ts'
import { className } from './names.ts'
import { fileOf, pythonArithmetic, pythonNegative, pythonNumber } from './python.ts'

const HELPERS: Readonly<Record<Helper, string>> = {
  mean: `def mean(a, dims):
    return a.mean(dims, keepdim=True)`,
  mean_square: `def mean_square(a, dims):
    return a.square().mean(dims, keepdim=True)`,
  variance: `def variance(a, dims):
    return a.var(dims, correction=0, keepdim=True)`,
  root: `def root(second_moment):
    return torch.sqrt(second_moment + EPSILON)`,
  grouped: `def grouped(moment, a, groups):
    """\`moment\` over space and the channels of a group: one value a sample and channel."""
    n, c, h, w = a.shape
    value = moment(a.reshape(n, groups, c // groups, h, w), (2, 3, 4))
    return value.expand(n, groups, c // groups, 1, 1).reshape(n, c, 1, 1)`,
  divide: `def divide(a, b):
    """a / b with |b| at least EPSILON."""
    sign = 1 - 2 * (b < 0).to(b.dtype)
    return a / torch.where(b.abs() < EPSILON, sign * EPSILON, b)`,
  maximum: `def maximum(a, b):
    """The larger of two; ties give the gradient to the first."""
    return torch.where(a >= b, a, b)`,
  signed_log: `def signed_log(a):
    return torch.sign(a) * torch.log(a.abs() + EPSILON)`,
  signed_sqrt: `def signed_sqrt(a):
    return torch.sign(a) * torch.sqrt(a.abs() + EPSILON)`,
}

const FRAMEWORK = new Set(['sigmoid', 'tanh', 'exp', 'abs', 'square'])

const SYNTAX: Syntax = {
  number: pythonNumber,
  input: (name) => (name === 'x' ? 'x' : `self.${name}`),
  call: (name, inputs) => `${FRAMEWORK.has(name) ? 'torch.' : ''}${name}(${inputs.join(', ')})`,
  arithmetic: pythonArithmetic,
  negative: pythonNegative,
  moment: (moment, a, over) =>
    over === 'hwg'
      ? `grouped(${moment}, ${a.text}, self.groups)`
      : `${moment}(${a.text}, ${over.toUpperCase()})`,
  batchMoment: (moment, a, moving) => {
    const operand = a.constant === null ? a.text : `torch.full_like(self.${moving}, ${a.text})`
    return `self.batch(${moment}, ${operand}, self.${moving})`
  },
}

const BATCH = `    def batch(self, moment, a, moving):
        """\`moment\` over batch and space; its moving average at inference."""
        if not self.training:
            return moving
        value = moment(a, NHW).expand_as(moving)
        with torch.no_grad():
            moving.lerp_(value.to(moving.dtype), self.momentum)
        return value`

const constructor = (code: LayerCode, affine: boolean): string => {
  const { moving, usesGroups } = code
  const vectors = vectorsOf(code, affine)
  const lines = [
    'super().__init__()',
    ...(usesGroups ? ['self.groups = groups_for(num_channels, groups)'] : []),
    ...(moving.length > 0 ? ['self.momentum = momentum'] : []),
    ...(vectors.length + moving.length > 0 ? ['shape = (1, num_channels, 1, 1)'] : []),
    ...vectors.map(([name, start]) => `self.${name} = nn.Parameter(torch.${start}(shape))`),
    ...moving.map(({ name, moment }) => `self.register_buffer("${name}", torch.${startOf(moment)}(shape))`),
  ]
  const options = `${usesGroups ? ', groups=32' : ''}${moving.length > 0 ? ', momentum=0.1' : ''}`
  return `    def __init__(self, num_channels${options}):\n${indented(lines, 8)}`
}

const forward = ({ statements, result }: LayerCode, affine: boolean): string => {
  const { text, constant, samples, space, channels } = result
  const y = affine ? 'self.gamma * f + self.beta' : 'f'
  const whole = constant !== null || (samples && space && channels)
  const lines = [
    ...statements.map((statement) => `${statement.name} = ${statement.text}`),
    `f = ${constant === null ? text : `torch.full_like(x, ${text})`}`,
    `return ${whole ? y : `torch.broadcast_to(${y}, x.shape)`}`,
  ]
  return `    def forward(self, x):\n${indented(lines, 8)}`
}

/** A PyTorch module, channels first as is its convention. */
export const pytorch = (graph: Graph, name: string): string => {
  const code = layerCode(graph, SYNTAX)
  const methods = [
    constructor(code, graph.affine),
    ...(code.moving.length > 0 ? [BATCH] : []),
    forward(code, graph.affine),
  ]
  return fileOf(graph, name, code, {
    kind: 'PyTorch module',
    layout: '[batch, channels, height, width]',
    imports: 'import torch\nfrom torch import nn',
    helpers: HELPERS,
    axes: { NHW: '(0, 2, 3)', HWC: '(1, 2, 3)', HW: '(2, 3)' },
    definition: `class ${className(name)}(nn.Module):\n${methods.join('\n\n')}`,
  })
}
