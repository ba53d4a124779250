"""
Reference values of the stability test, made with PyTorch's double backward (2.13, CPU, float64); writes stability.json
beside this file.

    python test/reference/stability.py

Tiny networks of networks.py (width 0.125, one block a stage, images of 16x16, batch 4) with its drawn weights, images
and labels. The script checks that float32 gives the same to 2e-4. The JSON is a list; `theta` are the convolution kernels, in creation order:
  squared   the squared norm of the loss's gradient with respect to theta
  sums      for each kernel: the gradient of `squared`, summed weighted by drawn(its number among all tensors + 2000)
"""
import json
import os

import torch
import torch.nn.functional as F

from networks import as_ours, build, draw_weights, drawn, drawn_batch, rounded


def measure(name, kind, dtype):
    net = build(name, 0.125, 0.1, kind).to(dtype)
    draw_weights(net)
    images, labels = drawn_batch(16, 4)
    numbered = [(i, p) for i, p in enumerate(net.parameters()) if p.dim() == 4 and p.shape[0] != 1]
    theta = [p for _, p in numbered]
    gradients = torch.autograd.grad(F.cross_entropy(net(images.to(dtype)), labels), theta, create_graph=True)
    squared = sum((g * g).sum() for g in gradients)
    second = torch.autograd.grad(squared, theta)
    sums = [(as_ours(g).reshape(-1).double() * drawn(g.numel(), i + 2000)).sum() for (i, _), g in zip(numbered, second)]
    return squared.detach().double(), torch.stack(sums).detach()


def case(name, kind):
    squared, sums = measure(name, kind, torch.float64)
    single, single_sums = measure(name, kind, torch.float32)
    off = max((single - squared).abs().item() / squared.item(), ((single_sums - sums).abs() / (sums.abs() + sums.abs().max() / 100)).max().item())
    print(f'{name} {kind}: float32 is off by {off:.1e}')
    if off > 2e-4:
        raise SystemExit('too far for a float32 engine to be held against')
    return {'network': name, 'layer': kind, 'squared': rounded(squared)[0], 'sums': rounded(sums)}


def main():
    cases = [
        case('resnet', 'BN-ReLU'),
        case('resnet', 'EvoNorm-B0'),
        case('mobilenetv2', 'EvoNorm-S0'),
        case('efficientnet', 'EvoNorm-B0'),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'stability.json')
    with open(path, 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(row, separators=(',', ':')) for row in cases) + '\n]\n')
    print(f'{len(cases)} cases, {os.path.getsize(path)} bytes, torch {torch.__version__}')


main()
