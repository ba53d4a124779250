import type { Graph } from '../graph.ts'
import {
  layerCode,
  startOf,
  vectorsOf,
  type Helper,
  type LayerCode,
  type RawMoment,
  type Syntax,
} from './code.ts'
import { indented } from './description.ts'
import { className } from './names.ts'
import { fileOf, pythonArithmetic, pythonNegative, pythonNumber } from './python.ts'
import { replaceFunction } from './pytorch-replace.ts'

// torch.jit.script takes neither functions as arguments nor numbers of the module: each moment is called by name, with
// its axes, and epsilon is an argument.
const HELPERS: Readonly<Record<Helper, string>> = {
  mean: `def mean(a: Tensor, dims: list[int]) -> Tensor:
    return a.mean(dims, keepdim=True)`,
  mean_square: `def mean_square(a: Tensor, dims: list[int]) -> Tensor:
    return a.square().mean(dims, keepdim=True)`,
  variance: `def variance(a: Tensor, dims: list[int]) -> Tensor:
    """Biased variance."""
    return (a - a.mean(dims, keepdim=True)).square().mean(dims, keepdim=True)`,
  root: `def root(second_moment: Tensor, eps: float) -> Tensor:
    return torch.sqrt(second_moment + eps)`,
  grouped: `def grouped(a: Tensor, groups: int) -> Tensor:
    """[n, c, h, w] as [n, groups, c / groups, h, w]."""
    return a.reshape(a.shape[0], groups, -1, a.shape[2], a.shape[3])


def per_channel(value: Tensor, channels: int) -> Tensor:
    """[n, groups, 1, 1, 1] as [n, channels, 1, 1]."""
    groups = value.shape[1]
    return value.expand(-1, -1, channels // groups, -1, -1).reshape(-1, channels, 1, 1)`,
  divide: `def divide(a: Tensor, b: Tensor, eps: float) -> Tensor:
    """a / b with |b| at least eps."""
    sign = 1 - 2 * (b < 0).to(b.dtype)
    return a / torch.where(b.abs() < eps, sign * eps, b)`,
  maximum: `def maximum(a: Tensor, b: Tensor) -> Tensor:
    """The larger of two; ties give the gradient to the first."""
    return torch.where(a >= b, a, b)`,
  signed_log: `def signed_log(a: Tensor, eps: float) -> Tensor:
    return torch.sign(a) * torch.log(a.abs() + eps)`,
  signed_sqrt: `def signed_sqrt(a: Tensor, eps: float) -> Tensor:
    return torch.sign(a) * torch.sqrt(a.abs() + eps)`,
}

const FRAMEWORK = new Set(['sigmoid', 'tanh', 'exp', 'abs', 'square'])
const WITH_EPSILON = new Set<string>(['root', 'divide', 'signed_log', 'signed_sqrt'])
const AXES = { hwc: '[1, 2, 3]', hw: '[2, 3]' } as const

/** A number as a tensor, where a helper takes tensors. */
const asTensor = (text: string): string => (/^-?(\d|float\()/.test(text) ? `x.new_full([], ${text})` : text)

const SYNTAX: Syntax = {
  number: pythonNumber,
  input: (name) => name,
  call: (name, inputs) => {
    if (FRAMEWORK.has(name)) return `torch.${name}(${inputs.join(', ')})`
    return `${name}(${[...inputs.map(asTensor), ...(WITH_EPSILON.has(name) ? ['self.eps'] : [])].join(', ')})`
  },
  arithmetic: pythonArithmetic,
  negative: pythonNegative,
  moment: (moment, a, over) =>
    over === 'hwg'
      ? `per_channel(${moment}(grouped(${a.text}, self.groups), [2, 3, 4]), self.num_features)`
      : `${moment}(${a.text}, ${AXES[over]})`,
  batchMoment: (moment, a, moving) => {
    const operand = a.constant === null ? a.text : `torch.full_like(self.${moving}, ${a.text})`
    return `self.batch_${moment}(${operand}, self.${moving})`
  },
}

const batchMethod = (
  moment: RawMoment,
): string => `    def batch_${moment}(self, a: Tensor, moving: Tensor) -> Tensor:
        """The ${moment} over batch and space; its moving average at inference."""
        if not self.training:
            return moving.to(a.dtype)
        value = ${moment}(a, [0, 2, 3]).expand_as(moving)
        with torch.no_grad():
            moving.lerp_(value.to(moving.dtype), self.momentum)
        return value`

const APPLY = `    def _apply(self, fn, recurse=True):
        """Moves the module, but leaves its moving averages in float32: a variance may be past what half precision holds."""
        before = dict(self._buffers)
        super()._apply(fn, recurse)
        for name, old in before.items():
            if self._buffers[name].dtype in (torch.float16, torch.bfloat16):
                self._buffers[name] = old.to(self._buffers[name].device)
        return self`

const constructor = (code: LayerCode, affine: boolean): string => {
  const { moving, usesGroups } = code
  const vectors = vectorsOf(code, affine)
  const lines = [
    'super().__init__()',
    'self.num_features = num_features',
    'self.eps = eps',
    'self.momentum = momentum',
    ...(usesGroups ? ['self.groups = groups_for(num_features, groups)'] : []),
    ...(vectors.length + moving.length > 0 ? ['shape = (1, num_features, 1, 1)'] : []),
    ...vectors.map(
      ([name, start]) => `self.${name} = nn.Parameter(torch.${start}(shape, device=device, dtype=dtype))`,
    ),
    ...(moving.length > 0
      ? ['statistic = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype']
      : []),
    ...moving.map(
      ({ name, moment }) =>
        `self.register_buffer("${name}", torch.${startOf(moment)}(shape, device=device, dtype=statistic))`,
    ),
  ]
  const parameters = [
    'num_features: int',
    'eps: float = 1e-5',
    'momentum: float = 0.1',
    'groups: int = 32',
    'device: torch.device | str | None = None',
    'dtype: torch.dtype | None = None',
  ]
  return `    def __init__(\n        self,\n${parameters.map((p) => `        ${p},\n`).join('')}    ) -> None:\n${indented(lines, 8)}`
}

const forward = (code: LayerCode, affine: boolean): string => {
  const { text, constant, samples, space, channels } = code.result
  const y = affine ? 'gamma * f + beta' : 'f'
  const whole = constant !== null || (samples && space && channels)
  const lines = [
    'dtype = x.dtype',
    '# Half precision holds neither squares of 300 nor sums of many: all is computed in float32.',
    'if dtype == torch.float16 or dtype == torch.bfloat16:',
    '    x = x.float()',
    ...vectorsOf(code, affine).map(([name]) => `${name} = self.${name}.to(x.dtype)`),
    ...code.statements.map((statement) => `${statement.name} = ${statement.text}`),
    `f = ${constant === null ? text : `torch.full_like(x, ${text})`}`,
    `y = ${whole ? y : `torch.broadcast_to(${y}, x.shape)`}`,
    'return y.to(dtype)',
  ]
  return `    def forward(self, x: Tensor) -> Tensor:\n${indented(lines, 8)}`
}

/** A PyTorch module, channels first as is its convention, for eager mode, autocast, TorchScript, compile and export. */
export const pytorch = (graph: Graph, name: string, source?: string): string => {
  const code = layerCode(graph, SYNTAX)
  const moments = [...new Set(code.moving.map(({ moment }) => moment))]
  const methods = [
    constructor(code, graph.affine),
    ...(code.moving.length > 0 ? [APPLY] : []),
    ...moments.map(batchMethod),
    forward(code, graph.affine),
  ]
  const type = className(name)
  return fileOf(graph, name, code, {
    kind: 'PyTorch module',
    layout: '[batch, channels, height, width]',
    notes: moments.includes('variance') ? [...NOTES, ...TIMM] : NOTES,
    source,
    imports:
      'from __future__ import annotations\n\nfrom collections import Counter\nfrom inspect import signature\n\n' +
      'import torch\nfrom torch import Tensor, fx, nn',
    helpers: HELPERS,
    axes: { NHW: '', HWC: '', HW: '' },
    definition: `class ${type}(nn.Module):\n${methods.join('\n\n')}\n\n\n${replaceFunction(type)}`,
  })
}

const NOTES = [
  'Parameters are those of nn.BatchNorm2d: eps, momentum (the weight of the new batch), device, dtype; groups is how',
  'many an hwg moment has at most. What a layer does not need is taken and left.',
  'Half precision (fp16, bf16, autocast): computed in float32, the result is cast back; moving averages stay float32',
  '(call .half() before torch.jit.script, not after).',
]
const TIMM = [
  'timm differs: its EvoNorm-B0 has eps 1e-3 by default and stores the unbiased variance in its moving average; here',
  'eps is 1e-5 and variances are biased.',
]
