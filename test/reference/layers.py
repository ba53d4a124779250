"""
Reference values of layer graphs, made with PyTorch (2.13, CPU, float64); writes layers.json beside this file.

    python test/reference/layers.py

Every primitive with every index set, binary ops with operands of every shape, negative and near-zero values, every
known layer (written out by hand from its paper, not from a graph) and a few compositions. Tensors are
[batch, height, width, channels] = [2, 3, 3, 4] in row-major order, two channel groups, epsilon 1e-5 (shared/ops.ts).

The JSON:
  shape, groups, epsilon
  x, near      two inputs: a normal batch (with a per-channel scale and shift), and one with magnitudes 1e-6..1e-1
  x2           another batch, for inference with x's batch statistics
  dy           the upstream gradient
  v0, v1, gamma, beta   per-channel vectors
  cases: a list of
    name       the known layer's name (shared/known.ts), or the formula of the case (shared/formula.ts)
    known      true where `name` is a known layer
    affine     whether y = gamma * f + beta closes the layer
    input      'x' or 'near'
    y          the output; then the gradients of sum(y * dy):
    dx, dv0, dv1 [, dgamma, dbeta where affine]      (null where the layer does not use the tensor)
    inference  the output for x2 with the batch statistics (index set nhw) of the case's input, where there are any
Values are rounded to 6 significant digits. The script checks that float32 gives the same to 2e-4 (|a - b| / (|a| + max|a| / 100 + 0.01)), so that a
float32 engine can be held against them.
"""
import json
import os

import torch

SHAPE, GROUPS, EPSILON = (2, 3, 3, 4), 2, 1e-5
AXES = {'nhw': (0, 1, 2), 'hwc': (1, 2, 3), 'hw': (1, 2)}
MOMENTS = ('mean', 'rms', 'std')


class Ops:
    """The primitives as in shared/ops.ts. With `kept` given, batch statistics are taken from there (inference)."""

    def __init__(self, kept=None):
        self.saved, self.kept = [], None if kept is None else iter(kept)

    def mean_over(self, t, over):
        if over == 'hwg':
            n, h, w, c = t.shape
            grouped = t.reshape(n, h, w, GROUPS, c // GROUPS)
            return grouped.mean((1, 2, 4), keepdim=True).expand_as(grouped).reshape(t.shape)
        if over == 'nhw' and self.kept is not None:
            return next(self.kept)
        mean = t.mean(AXES[over], keepdim=True)
        if over == 'nhw':
            self.saved.append(mean.detach().as_subclass(torch.Tensor))
        return mean.expand_as(t)

    def __getattr__(self, name):
        moment, _, over = name.partition('_')
        if moment not in MOMENTS:
            raise AttributeError(name)

        def aggregate(t):
            if moment == 'mean':
                return self.mean_over(t, over)
            if moment == 'rms':
                return torch.sqrt(self.mean_over(t * t, over) + EPSILON)
            centre = self.mean_over(t, over)
            if over == 'nhw' and self.kept is not None:
                return torch.sqrt(self.mean_over(t, over) + EPSILON)  # the kept variance
            return torch.sqrt(self.mean_over((t - centre) ** 2, over) + EPSILON)

        return aggregate

    add = staticmethod(lambda a, b: a + b)
    mul = staticmethod(lambda a, b: a * b)
    # Ties give the gradient to the first operand.
    max = staticmethod(lambda a, b: torch.where(a >= b, a, b))
    neg = staticmethod(lambda a: -a)
    sigmoid = staticmethod(torch.sigmoid)
    tanh = staticmethod(torch.tanh)
    exp = staticmethod(torch.exp)
    log = staticmethod(lambda a: torch.sign(a) * torch.log(a.abs() + EPSILON))
    abs = staticmethod(torch.abs)
    square = staticmethod(lambda a: a * a)
    sqrt = staticmethod(lambda a: torch.sign(a) * torch.sqrt(a.abs() + EPSILON))

    @staticmethod
    def div(a, b):
        least = torch.where(b < 0, -EPSILON, EPSILON).to(b.dtype)
        return torch.div(a, torch.where(b.abs() >= EPSILON, b, least))


UNARY = ['neg', 'sigmoid', 'tanh', 'exp', 'log', 'abs', 'square', 'sqrt']
AGGREGATES = [f'{m}_{s}' for m in MOMENTS for s in ('nhw', 'hwc', 'hw', 'hwg')]


def normalised(o, x, v0, v1, over):
    return (x - getattr(o, f'mean_{over}')(x)) / getattr(o, f'std_{over}')(x) * v1 + v0


def known_layers():
    relu = torch.relu
    return {
        'BN-ReLU': (False, lambda o, x, v0, v1: relu(normalised(o, x, v0, v1, 'nhw'))),
        'GN-ReLU': (False, lambda o, x, v0, v1: relu(normalised(o, x, v0, v1, 'hwg'))),
        'LN-ReLU': (False, lambda o, x, v0, v1: relu(normalised(o, x, v0, v1, 'hwc'))),
        'IN-ReLU': (False, lambda o, x, v0, v1: relu(normalised(o, x, v0, v1, 'hw'))),
        'BN-Swish': (False, lambda o, x, v0, v1: torch.nn.functional.silu(normalised(o, x, v0, v1, 'nhw'))),
        'EvoNorm-B0': (True, lambda o, x, v0, v1: x / torch.maximum(o.std_nhw(x), v1 * x + o.std_hw(x))),
        'EvoNorm-B1': (True, lambda o, x, v0, v1: x / torch.maximum(o.std_nhw(x), (x + 1) * o.rms_hw(x))),
        'EvoNorm-B2': (True, lambda o, x, v0, v1: x / torch.maximum(o.std_nhw(x), o.rms_hw(x) - x)),
        'EvoNorm-S0': (True, lambda o, x, v0, v1: x * torch.sigmoid(v1 * x) / o.std_hwg(x)),
        'EvoNorm-S1': (True, lambda o, x, v0, v1: x * torch.sigmoid(x) / o.std_hwg(x)),
        'EvoNorm-S2': (True, lambda o, x, v0, v1: x * torch.sigmoid(x) / o.rms_hwg(x)),
    }


# Compositions; each is read by Python and by shared/formula.ts alike (op names become the methods of Ops).
COMPOSED = [
    # every op on every shape of operand: per channel, per sample, per sample and channel, per group
    *[f'x * {op}({inner})' for op in UNARY for inner in ('v0', 'mean_hwg(x)')],
    *[f'{op}(x, {b})' for op in ('add', 'mul', 'div', 'max') for b in ('v0', 'mean_hw(x)', 'sigmoid(x)', '0')],
    *[f'{op}({a}, x)' for op in ('div', 'max') for a in ('v1', 'mean_hwg(x)')],
    'add(v0, v1) * mean_hw(x)', 'x / (v0 - v0)', 'v1 - v0', 'x * 0',
    # aggregates of aggregates and of vectors
    *[f'x * {op}(v0)' for op in AGGREGATES],
    *[f'x * {op}(mean_hw(x))' for op in AGGREGATES if not op.startswith('rms')],
    *[f'{op}(x) * {other}(x)' for op, other in (('std_hwg', 'std_nhw'), ('mean_hwc', 'rms_hwg'), ('rms_nhw', 'std_hw'))],
    # aggregates of a function of x, gradients through everything
    *[f'x / {op}(x * sigmoid(v1 * x))' for op in AGGREGATES],
    'max(x, tanh(x)) - mean_nhw(square(x)) / rms_hwc(x)',
    'sqrt(x) * exp(-square(x)) + log(std_hw(x))',
    'x / std_nhw(x / std_hwg(x))',
    'abs(x - mean_hw(x)) / (abs(mean_hwg(abs(x))) + 1)',
]


class Guarded(torch.Tensor):
    """In a formula `/` means the guarded division."""

    def __truediv__(self, other):
        return Ops.div(self, other)


def lift(t):
    return t.as_subclass(Guarded)


def evaluate(formula, o, x, v0, v1):
    names = {op: getattr(o, op) for op in [*UNARY, 'add', 'mul', 'div', 'max', *AGGREGATES]}

    one, zero = lift(torch.ones_like(v1)), lift(torch.zeros_like(v1))
    text = formula.replace('+ 1', '+ one').replace(', 0)', ', zero)').replace('* 0', '* zero')
    full = {'x': lift(x), 'v0': lift(v0.expand_as(x)), 'v1': lift(v1.expand_as(x)), 'one': one, 'zero': zero}
    return eval(text, {**names, **full}).as_subclass(torch.Tensor)


def rounded(t):
    return None if t is None else [float(f'{v:.6g}') if abs(v) > 1e-12 else 0 for v in t.reshape(-1).tolist()]


def close(a, b):
    return ((a - b.double()).abs() / (a.abs() + 1e-2 * a.abs().max() + 1e-2)).max().item()


def run(function, affine, data, key, dtype):
    x, v0, v1, gamma, beta = (data[k].to(dtype).clone().requires_grad_() for k in (key, 'v0', 'v1', 'gamma', 'beta'))
    ops = Ops()
    f = function(ops, x, v0, v1).expand(SHAPE)
    y = gamma * f + beta if affine else f
    leaves = [x, v0, v1] + ([gamma, beta] if affine else [])
    grads = [None] * len(leaves)
    if y.requires_grad:
        grads = torch.autograd.grad((y * data['dy'].to(dtype)).sum(), leaves, allow_unused=True)
    inference = None
    if ops.saved:
        g = function(Ops(ops.saved), data['x2'].to(dtype), v0, v1).expand(SHAPE)
        inference = (gamma * g + beta if affine else g).detach()
    names = ['dx', 'dv0', 'dv1', 'dgamma', 'dbeta'][: len(leaves)]
    return {'y': y.detach(), **dict(zip(names, grads)), **({} if inference is None else {'inference': inference})}


def main():
    generator = torch.Generator().manual_seed(7)
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    channel = torch.tensor([1.0, 0.5, 2.0, 1.5], dtype=torch.float64)
    shift = torch.tensor([0.0, 0.5, -0.5, 0.2], dtype=torch.float64)
    near = normal(*SHAPE).sign() * 10 ** (torch.rand(*SHAPE, generator=generator, dtype=torch.float64) * 5 - 6)
    data = {
        'x': normal(*SHAPE) * channel + shift,
        'near': near,
        'x2': normal(*SHAPE) * 1.2 + 0.1,
        'dy': normal(*SHAPE),
        'v0': torch.tensor([0.3, -0.4, 0.1, 0.7], dtype=torch.float64),
        'v1': torch.tensor([1.2, 0.8, -0.9, 1.0], dtype=torch.float64),
        'gamma': torch.tensor([1.1, 0.9, -1.2, 0.5], dtype=torch.float64),
        'beta': torch.tensor([0.2, -0.1, 0.0, 0.4], dtype=torch.float64),
    }
    # What float32 can hold: both precisions then start from the same numbers.
    data = {k: torch.tensor(rounded(v.float().double()), dtype=torch.float64).reshape(v.shape) for k, v in data.items()}

    formulas = [(f'{op}(x)', k) for op in UNARY for k in ('x', 'near')]
    formulas += [(f'{op}(x)', 'x') for op in AGGREGATES] + [(f, 'x') for f in COMPOSED]
    formulas += [('v1 / x', 'near'), ('x / std_hw(x)', 'near')]
    cases = [(f, False, True, k, lambda o, x, v0, v1, f=f: evaluate(f, o, x, v0, v1)) for f, k in formulas]
    cases += [(name, True, affine, 'x', f) for name, (affine, f) in known_layers().items()]

    written = []
    for name, known, affine, key, function in cases:
        exact = run(function, affine, data, key, torch.float64)
        single = run(function, affine, data, key, torch.float32)
        for field, value in exact.items():
            if value is not None and close(value, single[field]) > 2e-4:
                raise SystemExit(f'{name} ({key}): {field} differs in float32 by {close(value, single[field]):.1e}')
        numbers = {field: rounded(value) for field, value in exact.items()}
        written.append({'name': name, 'known': known, 'affine': affine, 'input': key, **numbers})

    out = {'shape': SHAPE, 'groups': GROUPS, 'epsilon': EPSILON, **{k: rounded(v) for k, v in data.items()}}
    lines = ',\n'.join(json.dumps(case, separators=(',', ':')) for case in written)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'layers.json')
    with open(path, 'w') as file:
        file.write(json.dumps(out)[:-1] + ',\n"cases": [\n' + lines + '\n]}\n')
    print(f'{len(written)} cases, {os.path.getsize(path)} bytes, torch {torch.__version__}')


if __name__ == '__main__':
    main()
