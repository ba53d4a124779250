"""
The engine's training of one layer in one network on CIFAR-10, written in PyTorch, to hold the engine's accuracy against.

    python test/reference/training.py DATA_FOLDER [--layer BN-ReLU] [--network resnet] [--width 0.125] [--depth 0.34]
        [--steps 1000] [--batch 64] [--validation 5000] [--seed 1] [--threads 1]

The same as the engine's, number by number: networks (networks.py), He initialisation on the fan-in (the classifier's a
sixth of the variance), the held-out images (the split of main/engine/data/cifar10.ts, by the same generator), channel
statistics of the training images, random crops after padding by 4 and flips, SGD with Nesterov momentum 0.9, weight decay
5e-4 on kernels alone, rate 0.1 with 20 steps of linear warm-up and a cosine to 0, moving averages of 0.9. Random numbers
of weights, order and augmentation are PyTorch's: single runs of both differ by chance, as two seeds of one do.
Prints the validation accuracy as the last line.
"""
import argparse
import glob
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from networks import build, is_kernel

MASK = 0xFFFFFFFF


def hash32(text, seed):
    h = seed
    for unit in text:
        h = ((h ^ ord(unit)) * 0x01000193) & MASK
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & MASK
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & MASK
    return h ^ (h >> 16)


def shuffled(count, name):
    """The order that createRandom(name).shuffle gives (shared/random.ts: sfc32, Fisher and Yates)."""
    a, b, c, d = hash32(name, 1), hash32(name, 2), hash32(name, 3), 1

    def bits():
        nonlocal a, b, c, d
        t = (a + b + d) & MASK
        d = (d + 1) & MASK
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & MASK
        c = (((c << 21) & MASK) | (c >> 11)) + t & MASK
        return t

    for _ in range(12):
        bits()
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        j = bits() * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return order


def read(folder, validation):
    files = sorted(glob.glob(os.path.join(folder, 'data_batch*.bin')))
    records = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in files])
    order = shuffled(len(records), 'cifar10 split')
    images = records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32)
    labels = records[:, 0].astype(np.int64)
    training, held_out = order[validation:], order[:validation]
    mean = images[training].mean((0, 2, 3), dtype=np.float64)[:, None, None]
    deviation = images[training].std((0, 2, 3), dtype=np.float64)[:, None, None]
    images = torch.from_numpy(((images - mean) / deviation).astype(np.float32))
    labels = torch.from_numpy(labels)
    return (images[training], labels[training]), (images[held_out], labels[held_out])


def batches(images, labels, size):
    padded = F.pad(images, (4, 4, 4, 4))
    while True:
        order = torch.randperm(len(images))
        for start in range(0, len(images) - size + 1, size):
            picked = order[start : start + size]
            crops = torch.empty(size, 3, 32, 32)
            for n, image in enumerate(picked.tolist()):
                y, x, flip = torch.randint(9, (1,)).item(), torch.randint(9, (1,)).item(), torch.rand(1).item() < 0.5
                crop = padded[image, :, y : y + 32, x : x + 32]
                crops[n] = crop.flip(2) if flip else crop
            yield crops, labels[picked]


def initialise(net):
    for parameter in net.parameters():
        if is_kernel(parameter):
            fan_in = parameter[0].numel() * (6 if parameter.dim() == 2 else 1)
            torch.nn.init.normal_(parameter, std=math.sqrt(2 / fan_in))
        elif parameter.dim() == 1:
            torch.nn.init.zeros_(parameter)


def rate_at(step, steps, peak=0.1, warmup=20):
    if step < warmup:
        return peak * (step + 1) / warmup
    return 0.5 * peak * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('data')
    parser.add_argument('--layer', default='BN-ReLU')
    parser.add_argument('--network', default='resnet')
    for name, kind, value in (
        ('width', float, 0.125), ('depth', float, 0.34), ('steps', int, 1000), ('batch', int, 64),
        ('validation', int, 5000), ('seed', int, 1), ('threads', int, 1),
    ):
        parser.add_argument(f'--{name}', type=kind, default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    training, (held_images, held_labels) = read(options.data, options.validation)
    net = build(options.network, options.width, options.depth, options.layer).to(memory_format=torch.channels_last)
    initialise(net)
    kernels = [p for p in net.parameters() if is_kernel(p)]
    vectors = [p for p in net.parameters() if not is_kernel(p)]
    optimiser = torch.optim.SGD(
        [{'params': kernels, 'weight_decay': 5e-4}, {'params': vectors}], lr=0.1, momentum=0.9, nesterov=True
    )
    source, started = batches(*training, options.batch), time.time()
    for step in range(options.steps):
        images, labels = next(source)
        for group in optimiser.param_groups:
            group['lr'] = rate_at(step, options.steps)
        loss = F.cross_entropy(net(images.contiguous(memory_format=torch.channels_last)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % 100 == 0:
            print(f'step {step + 1}: loss {loss.item():.3f}, {(time.time() - started) / (step + 1) * 1e3:.0f} ms a step', flush=True)
    net.eval()
    with torch.no_grad():
        guesses = torch.cat([net(images).argmax(1) for images in held_images.split(500)])
    print(f'accuracy {(guesses == held_labels).float().mean().item():.4f}')


main()
