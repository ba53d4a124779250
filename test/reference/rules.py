"""
Reference values of the formulas that shared/identity/rules.ts simplifies, made with PyTorch (2.13, CPU, float64); writes
rules.json beside this file.

    python test/reference/rules.py

It reads the examples [before, after] from the table itself and evaluates each `before`, as it is written, with its
gradients; the test holds the simplified layer against them. Tensors are as in layers.py.

The JSON:
  shape, groups, x, v0, v1, dy    as in layers.py
  cases: by formula: y, and the gradients dx, dv0, dv1 of sum(y * dy) (null where the formula does not use the tensor)
"""
import json
import os
import re

import torch

from layers import GROUPS, SHAPE, AGGREGATES, UNARY, Ops, lift, rounded

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, '../../shared/identity/rules.ts')


def evaluate(formula, x, v0, v1):
    ops = Ops()
    names = {op: getattr(ops, op) for op in [*UNARY, 'add', 'mul', 'div', 'max', *AGGREGATES]}
    full = {'x': x, 'v0': v0.expand_as(x), 'v1': v1.expand_as(x), 'zero': torch.zeros_like(x), 'one': torch.ones_like(x)}
    text = re.sub(r'(?<![\w.])0(?![\w.])', 'zero', re.sub(r'(?<![\w.])1(?![\w.])', 'one', formula))
    return eval(text, {**names, **{name: lift(t) for name, t in full.items()}}).as_subclass(torch.Tensor)


def main():
    with open(RULES) as file:
        pairs = re.findall(r"\['([^']*[x01][^']*)', '([^']+)'\],\n", file.read())
    generator = torch.Generator().manual_seed(11)
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    data = {
        'x': normal(*SHAPE) * 1.3 + 0.2,
        'v0': torch.tensor([0.3, -0.4, 0.1, 0.7], dtype=torch.float64),
        'v1': torch.tensor([1.2, 0.8, -0.9, 1.0], dtype=torch.float64),
        'dy': normal(*SHAPE),
    }
    data = {k: torch.tensor(rounded(v), dtype=torch.float64).reshape(v.shape) for k, v in data.items()}
    cases = {}
    for before, _ in pairs:
        leaves = [data[k].clone().requires_grad_() for k in ('x', 'v0', 'v1')]
        y = evaluate(before, *leaves).expand(SHAPE)
        grads = [None] * 3
        if y.requires_grad:
            grads = torch.autograd.grad((y * data['dy']).sum(), leaves, allow_unused=True)
        cases[before] = {'y': rounded(y.detach()), **{f'd{k}': rounded(g) for k, g in zip(('x', 'v0', 'v1'), grads)}}
    out = {'shape': SHAPE, 'groups': GROUPS, **{k: rounded(v) for k, v in data.items()}, 'cases': cases}
    path = os.path.join(HERE, 'rules.json')
    with open(path, 'w') as file:
        json.dump(out, file, separators=(',', ':'))
        file.write('\n')
    print(f'{len(cases)} formulas, {os.path.getsize(path)} bytes, torch {torch.__version__}')


main()
