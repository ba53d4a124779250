"""
Reference values of the networks, made with PyTorch (2.13, CPU, float64); writes networks.json beside this file.

    python test/reference/networks.py

The networks are written here from their papers, adapted to 32x32 images, with a given norm-activation layer:
  ResNet-50, pre-activation bottlenecks (He et al. 2016, "Identity Mappings in Deep Residual Networks"): 3x3 stem, four
    stages of (inner channels, blocks, stride), the shortcut a 1x1 convolution of the activated input where the shape
    changes, one norm-activation before the pooling;
  MobileNetV2 (Sandler et al. 2018, table 2): stem and second stage keep the resolution; projections are normalised
    without activation; head of 1280;
  EfficientNet-B0 (Tan & Le 2019, table 1): the same blocks with squeeze-excite (a quarter of the block's input
    channels, swish and sigmoid with biases), kernels of 3 and 5; stem and second stage keep the resolution.
Width multiplies channels (to a multiple of 8, at least 8), depth the blocks of a stage (at least one).

The JSON:
  counts: trainable numbers by network, width, depth and layer
  steps: one training step each of a tiny network: SGD with Nesterov momentum 0.9, weight decay 5e-4 on kernels alone,
    rate 0.1. Weights, images and labels are `drawn` numbers (below), so that they need not be kept here.
    images      the number that the images are drawn from: the first with which no value lies on ReLU's kink
    loss        before the step and after it, on the same batch
    inference   logits of the images after the step, moving averages (0.9 old + 0.1 new) in place of batch statistics
    sums        for each trainable tensor after the step (in creation order): its sum weighted by drawn(its number)
Tensors are made in the order of the forward pass; a block's norm comes before its convolution where it is applied first.
"""
import json
import math
import os

import torch
import torch.nn.functional as F
from torch import nn

EPSILON, GROUPS, CLASSES = 1e-5, 8, 10
# Nearer to ReLU's kink than this, rounding in float32 may choose the other side, and with it other gradients.
LEAST_MARGIN = 1e-5


def drawn(count, number):
    """`count` numbers in [-1, 1), the same in any language: a 32-bit linear congruential generator (Numerical Recipes)."""
    state, values = (number * 2654435761 + 12345) % 2**32, []
    for _ in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values.append((state >> 8) / 2**23 - 1)
    return torch.tensor(values, dtype=torch.float64)


class Norm(nn.Module):
    """A norm-activation layer: kind 'bn' or 'gn' (no activation), 'BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'."""

    def __init__(self, channels, kind):
        super().__init__()
        self.kind = kind
        vector = lambda value: nn.Parameter(torch.full((1, channels, 1, 1), value))
        if kind in ('bn', 'gn', 'BN-ReLU'):
            self.offset, self.scale = vector(0.0), vector(1.0)
        else:
            self.v1, self.gamma, self.beta = vector(1.0), vector(1.0), vector(0.0)
        self.register_buffer('mean', torch.zeros(1, channels, 1, 1))
        self.register_buffer('variance', torch.ones(1, channels, 1, 1))
        self.groups = max(g for g in range(1, GROUPS + 1) if channels % g == 0)

    def batch_statistics(self, x):
        if not self.training:
            return self.mean, self.variance
        variance, mean = torch.var_mean(x, (0, 2, 3), unbiased=False, keepdim=True)
        with torch.no_grad():
            self.mean.mul_(0.9).add_(0.1 * mean)
            self.variance.mul_(0.9).add_(0.1 * variance)
        return mean, variance

    def forward(self, x):
        if self.kind == 'gn':
            return F.group_norm(x, self.groups, self.scale.flatten(), self.offset.flatten(), EPSILON)
        if self.kind == 'EvoNorm-S0':
            n, c, h, w = x.shape
            variance = x.reshape(n, self.groups, -1).var(2, unbiased=False)
            deviation = (variance + EPSILON).sqrt().repeat_interleave(c // self.groups, 1)[:, :, None, None]
            return x * torch.sigmoid(self.v1 * x) / deviation * self.gamma + self.beta
        mean, variance = self.batch_statistics(x)
        batch = (variance + EPSILON).sqrt()
        if self.kind == 'EvoNorm-B0':
            instance = (x.var((2, 3), unbiased=False, keepdim=True) + EPSILON).sqrt()
            return x / torch.maximum(batch, self.v1 * x + instance) * self.gamma + self.beta
        y = (x - mean) / batch * self.scale + self.offset
        if self.kind != 'BN-ReLU':
            return y
        self.margin = y.detach().abs().min().item()
        return F.relu(y)


class Same(nn.Conv2d):
    """Convolution with TensorFlow's 'same' padding: the odd pixel goes to the bottom and right."""

    def __init__(self, size, source, target, stride=1, depthwise=False, bias=False):
        super().__init__(source, target, size, stride, groups=source if depthwise else 1, bias=bias)

    def forward(self, x):
        size, stride = self.kernel_size[0], self.stride[0]
        total = max(0, (math.ceil(x.shape[2] / stride) - 1) * stride + size - x.shape[2])
        before, after = total // 2, total - total // 2
        return super().forward(F.pad(x, (before, after, before, after)))


class Bottleneck(nn.Module):
    def __init__(self, source, inner, stride, kind):
        super().__init__()
        out = 4 * inner
        self.first = Norm(source, kind)
        self.shortcut = Same(1, source, out, stride) if source != out or stride != 1 else None
        self.rest = nn.Sequential(
            Same(1, source, inner), Norm(inner, kind), Same(3, inner, inner, stride), Norm(inner, kind), Same(1, inner, out)
        )

    def forward(self, x):
        activated = self.first(x)
        return self.rest(activated) + (self.shortcut(activated) if self.shortcut else x)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.reduce, self.expand = Same(1, channels, reduced, bias=True), Same(1, reduced, channels, bias=True)

    def forward(self, x):
        return x * torch.sigmoid(self.expand(F.silu(self.reduce(x.mean((2, 3), keepdim=True)))))


class Inverted(nn.Module):
    def __init__(self, source, target, expansion, kernel, stride, squeeze, kind):
        super().__init__()
        wide = source * expansion
        layers = [Same(1, source, wide), Norm(wide, kind)] if expansion > 1 else []
        layers += [Same(kernel, wide, wide, stride, depthwise=True), Norm(wide, kind)]
        if squeeze:
            layers.append(SqueezeExcite(wide, max(1, round(source / 4))))
        layers += [Same(1, wide, target), Norm(target, 'gn' if kind == 'EvoNorm-S0' else 'bn')]
        self.rest, self.residual = nn.Sequential(*layers), stride == 1 and source == target

    def forward(self, x):
        return self.rest(x) + x if self.residual else self.rest(x)


RESNET = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]
# expansion, kernel, channels, blocks, stride
MOBILENET = [(1, 3, 16, 1, 1), (6, 3, 24, 2, 1), (6, 3, 32, 3, 2), (6, 3, 64, 4, 2), (6, 3, 96, 3, 1), (6, 3, 160, 3, 2), (6, 3, 320, 1, 1)]
EFFICIENT = [(1, 3, 16, 1, 1), (6, 3, 24, 2, 1), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1)]


def build(name, width, depth, kind):
    scaled = lambda channels: max(8, math.floor(channels * width / 8 + 0.5) * 8)
    blocks = lambda repeats: max(1, math.floor(repeats * depth + 0.5))
    channels = scaled(64 if name == 'resnet' else 32)
    layers = [Same(3, 3, channels)]
    if name == 'resnet':
        for inner, repeats, stride in RESNET:
            for i in range(blocks(repeats)):
                layers.append(Bottleneck(channels, scaled(inner), stride if i == 0 else 1, kind))
                channels = 4 * scaled(inner)
        layers.append(Norm(channels, kind))
    else:
        layers.append(Norm(channels, kind))
        for expansion, kernel, target, repeats, stride in MOBILENET if name == 'mobilenetv2' else EFFICIENT:
            for i in range(blocks(repeats)):
                squeeze = name == 'efficientnet'
                layers.append(Inverted(channels, scaled(target), expansion, kernel, stride if i == 0 else 1, squeeze, kind))
                channels = scaled(target)
        layers += [Same(1, channels, scaled(1280)), Norm(scaled(1280), kind)]
        channels = scaled(1280)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


def as_ours(tensor):
    """A PyTorch parameter in the engine's layout: kernels [height, width, in, out], depthwise [height, width, channels, 1]."""
    if tensor.dim() == 4 and tensor.shape[0] != 1:
        return tensor.permute(2, 3, 0, 1) if tensor.shape[1] == 1 and tensor.shape[2] > 1 else tensor.permute(2, 3, 1, 0)
    return tensor.t() if tensor.dim() == 2 else tensor


def is_kernel(tensor):
    return tensor.dim() == 2 or (tensor.dim() == 4 and tensor.shape[0] != 1)


def rounded(tensor):
    return [float(f'{v:.7g}') for v in tensor.flatten().tolist()]


def draw_weights(net):
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters()):
            ours = as_ours(parameter)
            values = drawn(parameter.numel(), number).reshape(ours.shape)
            if is_kernel(parameter):
                fan_in = parameter[0].numel() * (6 if parameter.dim() == 2 else 1)
                ours.copy_(values * math.sqrt(6 / fan_in))
            elif parameter.dim() == 1:
                ours.copy_(values / 4)  # a bias, which starts at 0
            else:
                ours.add_(values / 4)


def drawn_batch(size, batch, number=1000):
    images = drawn(batch * size * size * 3, number).reshape(batch, size, size, 3).permute(0, 3, 1, 2) * 2
    return images, torch.arange(batch) * 3 % CLASSES


def one_step(name, width, depth, kind, size, batch):
    net = build(name, width, depth, kind).double()
    draw_weights(net)
    parameters = list(net.parameters())
    for number in range(1000, 1100):
        images, labels = drawn_batch(size, batch, number)
        net(images)
        margin = min((m.margin for m in net.modules() if hasattr(m, 'margin')), default=1)
        if margin > LEAST_MARGIN:
            break
    print(name, kind, number, margin)
    net = build(name, width, depth, kind).double()
    draw_weights(net)
    parameters = list(net.parameters())
    kernels = [p for p in parameters if is_kernel(p)]
    vectors = [p for p in parameters if not is_kernel(p)]
    optimiser = torch.optim.SGD(
        [{'params': kernels, 'weight_decay': 5e-4}, {'params': vectors}], lr=0.1, momentum=0.9, nesterov=True
    )
    losses = [F.cross_entropy(net(images), labels)]
    losses[0].backward()
    optimiser.step()
    net.eval()
    inference = net(images)
    net.train()
    losses.append(F.cross_entropy(net(images), labels))
    sums = [(as_ours(p).reshape(-1) * drawn(p.numel(), i + 2000)).sum() for i, p in enumerate(parameters)]
    return {
        'network': name, 'width': width, 'depth': depth, 'layer': kind, 'imageSize': size, 'batch': batch,
        'images': number,
        'loss': rounded(torch.stack(losses).detach()),
        'inference': rounded(inference.detach()), 'sums': rounded(torch.stack(sums).detach()),
    }


def main():
    counts = []
    for name in ('resnet', 'mobilenetv2', 'efficientnet'):
        for width, depth in ((0.125, 0.34), (0.25, 0.67)):
            for kind in ('BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'):
                size = sum(p.numel() for p in build(name, width, depth, kind).parameters())
                counts.append({'network': name, 'width': width, 'depth': depth, 'layer': kind, 'parameters': size})
    steps = [
        one_step(name, 0.125, 0.34, kind, 16, 4)
        for name, kind in (
            ('resnet', 'BN-ReLU'),
            ('resnet', 'EvoNorm-B0'),
            ('mobilenetv2', 'EvoNorm-S0'),
            ('efficientnet', 'BN-ReLU'),
            ('efficientnet', 'EvoNorm-B0'),
        )
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'networks.json')
    lists = ',\n'.join(
        f'"{key}": [\n' + ',\n'.join(json.dumps(row, separators=(',', ':')) for row in rows) + '\n]'
        for key, rows in (('counts', counts), ('steps', steps))
    )
    with open(path, 'w') as file:
        file.write('{\n' + lists + '\n}\n')
    print(f'{len(counts)} counts, {len(steps)} steps, {os.path.getsize(path)} bytes, torch {torch.__version__}')


if __name__ == '__main__':
    main()
