"""
Reference values of the strided 1x1 convolutions, made with PyTorch (2.13, CPU, float64); writes pointwise.json beside
this file.

    python test/reference/pointwise.py

Case number k convolves x [n, height, width, from] = drawn(.., 2k) with filter [1, 1, from, to] = drawn(.., 2k + 1) and
looks at f = sum(y^2) of the result y, and at g = sum((df/dfilter)^2). The JSON is a list; of each tensor it has the sum
weighted by drawn(.., 5000):
  y        the forward pass
  first    df/dx and df/dfilter
  second   dg/dx and dg/dfilter
"""
import json
import os

import torch
import torch.nn.functional as F

from networks import drawn

CASES = [
    (n, (side, side), (stride, stride), channels)
    for side in (5, 6, 7, 8, 9)
    for stride in (2, 3)
    for n, channels in ((2, (3, 5)), (1, (1, 1)), (1, (8, 16)))
] + [(2, (8, 7), (2, 1), (3, 5)), (2, (7, 8), (1, 2), (3, 5)), (1, (33, 33), (2, 2), (3, 5)), (3, (4, 9), (4, 3), (5, 3))]


def summed(tensor):
    flat = tensor.detach().reshape(-1)
    return float(f'{(flat * drawn(flat.numel(), 5000)).sum().item():.9g}')


def case(k, n, sides, strides, channels):
    x = drawn(n * sides[0] * sides[1] * channels[0], 2 * k).reshape(n, *sides, channels[0]).requires_grad_()
    filter = drawn(channels[0] * channels[1], 2 * k + 1).reshape(1, 1, *channels).requires_grad_()
    y = F.conv2d(x.permute(0, 3, 1, 2), filter.permute(3, 2, 0, 1), stride=strides).permute(0, 2, 3, 1)
    first = torch.autograd.grad((y * y).sum(), (x, filter), create_graph=True)
    second = torch.autograd.grad((first[1] * first[1]).sum(), (x, filter))
    return {
        'x': list(x.shape),
        'to': channels[1],
        'strides': list(strides),
        'y': summed(y),
        'first': [summed(gradient) for gradient in first],
        'second': [summed(gradient) for gradient in second],
    }


def main():
    cases = [case(k, *given) for k, given in enumerate(CASES)]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pointwise.json')
    with open(path, 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(row, separators=(',', ':')) for row in cases) + '\n]\n')
    print(f'{len(cases)} cases, torch {torch.__version__}')


main()
