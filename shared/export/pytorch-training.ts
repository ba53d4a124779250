/** The script beside a PyTorch export that trains its layer as a verification does. */
import { architectureOf } from '../architectures/index.ts'
import type { Graph } from '../graph.ts'
import { OPS } from '../ops.ts'
import type { VerificationConfig } from '../transfer/verification.ts'
import { className } from './names.ts'

/** `module`: the export's file name without its ending; `label`: what the layer was exported as. */
export const trainingScript = (
  graph: Graph,
  module: string,
  label: string,
  { data, training, architectures }: VerificationConfig,
): string => {
  const { path: _, ...images } = data
  const protocol = {
    data: images,
    training,
    plain: graph.nodes.some(({ op }) => OPS[op].over === 'nhw') ? 'batch' : 'group',
    networks: Object.fromEntries(architectures.map((config) => [config.name, architectureOf(config)])),
  }
  return SCRIPT.replace('@MODULE@', JSON.stringify(module))
    .replace('@CLASS@', JSON.stringify(className(label)))
    .replace('@PROTOCOL@', JSON.stringify(JSON.stringify(protocol)))
}

const SCRIPT = String.raw`"""
Trains the layer in the file beside this one as NormForge's verification does, on CIFAR-10's binary version.

    python FILE DATA_FOLDER --network resnet [--seed 1] [--steps N] [--threads N]

Networks, initialisation, held-out images, augmentation, optimiser and schedule are the engine's, number by number; random
numbers are PyTorch's, so that single runs differ by chance, as two seeds do. Prints the accuracy on test_batch.bin.
Exported by NormForge. Licence: MIT, as NormForge; do with this file what you like.
"""
import argparse
import glob
import importlib.util
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

PROTOCOL = json.loads(@PROTOCOL@)
DATA, TRAINING = PROTOCOL["data"], PROTOCOL["training"]
HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("layer", os.path.join(HERE, @MODULE@ + ".py"))
layer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layer)
GROUPS = TRAINING["groups"]


def site(channels):
    return getattr(layer, @CLASS@)(channels, groups=GROUPS)


def plain(channels):
    """Where a network normalises without activating."""
    if PROTOCOL["plain"] == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(max(g for g in range(1, min(GROUPS, channels) + 1) if channels % g == 0), channels)


class Same(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: the odd pixel goes to the bottom and right."""

    def __init__(self, size, source, target, stride=1, depthwise=False, bias=False):
        super().__init__(source, target, size, stride, groups=source if depthwise else 1, bias=bias)

    def forward(self, x):
        size, stride = self.kernel_size[0], self.stride[0]
        total = max(0, (math.ceil(x.shape[2] / stride) - 1) * stride + size - x.shape[2])
        before, after = total // 2, total - total // 2
        return super().forward(F.pad(x, (before, after, before, after)))


class Bottleneck(nn.Module):
    def __init__(self, source, inner, stride):
        super().__init__()
        self.first = site(source)
        self.shortcut = Same(1, source, 4 * inner, stride) if source != 4 * inner or stride != 1 else None
        self.rest = nn.Sequential(
            Same(1, source, inner), site(inner), Same(3, inner, inner, stride), site(inner), Same(1, inner, 4 * inner)
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
    def __init__(self, source, stage, stride):
        super().__init__()
        wide, target = source * stage["expansion"], stage["channels"]
        layers = [Same(1, source, wide), site(wide)] if stage["expansion"] > 1 else []
        layers += [Same(stage["kernel"], wide, wide, stride, depthwise=True), site(wide)]
        if stage["squeeze"]:
            layers.append(SqueezeExcite(wide, max(1, math.floor(source * stage["squeeze"] + 0.5))))
        layers += [Same(1, wide, target), plain(target)]
        self.rest, self.residual = nn.Sequential(*layers), stride == 1 and source == target

    def forward(self, x):
        return self.rest(x) + x if self.residual else self.rest(x)


def build(network, classes=10):
    channels = network["stem"]
    layers = [Same(3, 3, channels)] + ([] if network["preactivation"] else [site(channels)])
    for stage in network["stages"]:
        for i in range(stage["repeats"]):
            stride = stage["stride"] if i == 0 else 1
            if stage["block"] == "bottleneck":
                layers.append(Bottleneck(channels, stage["channels"], stride))
                channels = 4 * stage["channels"]
            else:
                layers.append(Inverted(channels, stage, stride))
                channels = stage["channels"]
    if network["head"]:
        layers.append(Same(1, channels, network["head"]))
        channels = network["head"]
    if network["head"] or network["preactivation"]:
        layers.append(site(channels))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def kernels_of(net):
    return [m.weight for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]


def initialise(net):
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel() * (6 if isinstance(module, nn.Linear) else 1)
            nn.init.normal_(module.weight, std=math.sqrt(2 / fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


MASK = 0xFFFFFFFF


def hash32(text, seed):
    h = seed
    for unit in text:
        h = ((h ^ ord(unit)) * 0x01000193) & MASK
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & MASK
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & MASK
    return h ^ (h >> 16)


def shuffled(count, name):
    """NormForge's order of images: sfc32, Fisher and Yates."""
    a, b, c, d = hash32(name, 1), hash32(name, 2), hash32(name, 3), 1

    def bits():
        nonlocal a, b, c, d
        t = (a + b + d) & MASK
        d = (d + 1) & MASK
        a, b = b ^ (b >> 9), (c + (c << 3)) & MASK
        c = ((((c << 21) & MASK) | (c >> 11)) + t) & MASK
        return t

    for _ in range(12):
        bits()
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = bits() * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return order


def records(files):
    data = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in files])
    images = data[:, 1:].reshape(-1, 3, 32, 32)
    size = DATA["imageSize"]
    if size < 32:
        images = np.floor(images.reshape(-1, 3, size, 32 // size, size, 32 // size).mean((3, 5)) + 0.5).astype(np.uint8)
    return images, torch.from_numpy(data[:, 0].astype(np.int64))


def read(folder):
    images, labels = records(sorted(glob.glob(os.path.join(folder, "data_batch*.bin"))))
    test_images, test_labels = records([os.path.join(folder, "test_batch.bin")])
    used = DATA["testImages"] or len(test_labels)
    test_images, test_labels = test_images[:used], test_labels[:used]
    tested = {image.tobytes() for image in test_images}
    order = shuffled(len(images), "cifar10 split")[DATA["validationImages"] :]
    order = [n for n in order if images[n].tobytes() not in tested]
    order = order[: DATA["trainingImages"] or None]
    images, labels = images[order].astype(np.float32), labels[order]
    mean, deviation = (f((0, 2, 3), dtype=np.float64)[:, None, None] for f in (images.mean, images.std))
    normal = lambda given: torch.from_numpy(((given - mean) / deviation).astype(np.float32))
    return (normal(images), labels), (normal(test_images), test_labels)


def batches(images, labels, size):
    side = images.shape[2]
    pad = side // 8 if TRAINING["augment"] else 0
    padded = F.pad(images, (pad, pad, pad, pad))
    while True:
        order = torch.randperm(len(images))
        for start in range(0, len(images) - size + 1, size):
            picked = order[start : start + size]
            crops = torch.empty(size, 3, side, side)
            for n, image in enumerate(picked.tolist()):
                y, x = torch.randint(2 * pad + 1, (2,)).tolist()
                crop = padded[image, :, y : y + side, x : x + side]
                crops[n] = crop.flip(2) if TRAINING["augment"] and torch.rand(1).item() < 0.5 else crop
            yield crops, labels[picked]


def rate_at(step, steps):
    peak, warmup = TRAINING["learningRate"], TRAINING["warmupSteps"]
    if step < warmup:
        return peak * (step + 1) / warmup
    return 0.5 * peak * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--network", choices=list(PROTOCOL["networks"]), default=list(PROTOCOL["networks"])[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=TRAINING["steps"])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    training, (test_images, test_labels) = read(options.data)
    net = build(PROTOCOL["networks"][options.network])
    initialise(net)
    print(f"parameters {sum(p.numel() for p in net.parameters())}")
    kernels = kernels_of(net)
    vectors = [p for p in net.parameters() if not any(p is kernel for kernel in kernels)]
    groups = [{"params": kernels, "weight_decay": TRAINING["weightDecay"]}, {"params": vectors}]
    optimiser = torch.optim.SGD(groups, lr=0.1, momentum=TRAINING["momentum"], nesterov=True)
    source = batches(*training, TRAINING["batchSize"])
    for step in range(options.steps):
        images, labels = next(source)
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, options.steps)
        loss = F.cross_entropy(net(images), labels, label_smoothing=TRAINING["labelSmoothing"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    net.eval()
    with torch.no_grad():
        guesses = torch.cat([net(images).argmax(1) for images in test_images.split(500)])
    print(f"accuracy {(guesses == test_labels).float().mean().item():.4f}")


main()
`
