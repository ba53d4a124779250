"""
The BigGAN of test/reference/gan.py in float32, written to be fast on a CPU: channels last, oneDNN's convolutions, batch norm
as PyTorch's own, fused Adam, no needless copies. Answers one JSON request a line:

  {"do": "make", "layer": "BN-ReLU", "config": {...}}  -> {"seconds": to the first finished step}
  {"do": "step", "count": 5}                           -> {"ms": [...]}

A step is that of main/engine/tasks/synthesis: the discriminator's steps, the generator's and that of its moving average.
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'reference'))
import gan  # noqa: E402

EPSILON = 1e-5
CLASSES = 10


def draw(number, shape, start, direction=False):
    if start is not None:
        return torch.full(shape, start)
    return torch.randn(shape) if direction else torch.nn.init.orthogonal_(torch.empty(shape).reshape(-1, shape[-1])).reshape(shape)


class Fast:
    """What gan.py's networks are made of, filters as PyTorch's convolutions want them."""

    def relu(self, x):
        return F.relu(x)

    def conv(self, size, source, target, bias=True):
        weight = self.parameter((target, source, size, size))
        weight.data = torch.nn.init.orthogonal_(weight.data).contiguous(memory_format=torch.channels_last)
        self.filters.append(weight)
        offset = self.parameter((target,), 0.0) if bias else None
        direction = torch.randn(target)
        self.directions.append(direction)

        def apply(x):
            matrix = weight.permute(0, 2, 3, 1).reshape(target, -1)
            with torch.no_grad():
                left = F.normalize(direction @ matrix, dim=0, eps=1e-6)
                right = F.normalize(matrix @ left, dim=0, eps=1e-6)
                direction.copy_(right)
            return F.conv2d(x, weight / (right @ (matrix @ left)), offset, padding=size // 2)

        return apply

    def layer(self, channels, kind, conditional):
        vector = lambda start: self.parameter((channels,), start)[None, :, None, None]
        groups = max(g for g in range(1, self.groups + 1) if channels % g == 0)
        if kind == 'BN-ReLU':
            if not conditional:
                offset, scale = self.parameter((channels,), 0.0), self.parameter((channels,), 1.0)
                return lambda x: F.relu(F.batch_norm(x, None, None, scale, offset, True, 0.1, EPSILON))
            return lambda x, gamma, beta: F.relu(
                torch.addcmul(beta, F.batch_norm(x, None, None, training=True, eps=EPSILON), gamma)
            )
        v1 = vector(1.0)
        own = None if conditional else (vector(1.0), vector(0.0))

        def evonorm(x, gamma, beta):
            if kind == 'EvoNorm-S0':
                n, c, h, w = x.shape
                variance = x.reshape(n, groups, c // groups, h, w).var((2, 3, 4), unbiased=False)
                root = (variance + EPSILON).rsqrt().repeat_interleave(c // groups, 1)[:, :, None, None]
                return torch.addcmul(beta, x * torch.sigmoid(v1 * x), gamma * root)
            batch = (x.var((0, 2, 3), unbiased=False, keepdim=True) + EPSILON).sqrt()
            instance = (x.var((2, 3), unbiased=False, keepdim=True) + EPSILON).sqrt()
            return torch.addcmul(beta, x / torch.maximum(batch, v1 * x + instance), gamma)

        return evonorm if conditional else lambda x: evonorm(x, *own)


class Generator(Fast, gan.Generator):
    def __init__(self, kind, config):
        self.groups = config['training']['groups']
        network = config['network']
        super().__init__(
            kind, network['channels'], network['latent'], network['sharedEmbedding'], network['attention'], draw
        )

    def block(self, wide, width, kind):
        first, conv1 = self.site(wide, width, kind), self.conv(3, wide, wide)
        second, conv2 = self.site(wide, width, kind), self.conv(3, wide, wide)
        shortcut = self.conv(1, wide, wide)
        return lambda x, y: conv2(second(conv1(gan.up(first(x, y))), y)) + gan.up(shortcut(x))


class Discriminator(Fast, gan.Discriminator):
    def __init__(self, config):
        super().__init__(config['network']['channels'], config['network']['attention'], draw)

    def block(self, source, target, first, halved):
        conv1, conv2 = self.conv(3, source, target), self.conv(3, target, target)
        shortcut = self.conv(1, source, target) if source != target or halved else (lambda x: x)
        down = lambda x: F.avg_pool2d(x, 2) if halved else x
        return lambda x: down(conv2(F.relu(conv1(x if first else F.relu(x))))) + shortcut(down(x))


class Training:
    def __init__(self, kind, config):
        torch.manual_seed(1)
        self.training, self.latent = config['training'], config['network']['latent']
        self.generate, self.discriminate = Generator(kind, config), Discriminator(config)
        betas = float(self.training['beta1']), float(self.training['beta2'])
        adam = lambda network, rate: torch.optim.Adam(network.parameters, rate, betas, fused=True)
        self.adams = adam(self.discriminate, self.training['discriminatorRate']), adam(
            self.generate, self.training['generatorRate']
        )
        self.average = [p.detach().clone() for p in self.generate.parameters]
        n = self.training['batchSize']
        self.real = (2 * torch.rand(n, 3, 32, 32) - 1).contiguous(memory_format=torch.channels_last)
        self.labels = torch.arange(n) % CLASSES

    def step(self):
        n = self.training['batchSize']
        adam_d, adam_g = self.adams
        for _ in range(self.training['discriminatorSteps']):
            with torch.no_grad():
                fake = self.generate(torch.randn(n, self.latent), self.labels)
            adam_d.zero_grad(set_to_none=True)
            loss = gan.discriminator_loss(self.discriminate, self.real, fake, self.labels, self.labels)
            loss.backward()
            adam_d.step()
            loss.item()
        adam_g.zero_grad(set_to_none=True)
        for parameter in self.discriminate.parameters:
            parameter.requires_grad_(False)
        loss = -self.discriminate(self.generate(torch.randn(n, self.latent), self.labels), self.labels).mean()
        loss = loss + self.training['orthogonal'] * self.penalty()
        loss.backward()
        for parameter in self.discriminate.parameters:
            parameter.requires_grad_(True)
        adam_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [p.detach() for p in self.generate.parameters], 1 - self.training['ema'])
        return loss.item()

    def penalty(self):
        total = 0
        for weight in self.generate.filters:
            # Convolutions' filters have their outputs first, matrices last.
            matrix = weight.reshape(len(weight), -1) if weight.dim() == 4 else weight.T
            gram = matrix @ matrix.T
            total = total + gram.square().sum() - torch.diagonal(gram).square().sum()
        return total


def main():
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '1')))
    training = None
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        if request['do'] == 'make':
            training = Training(request['layer'], request['config'])
            training.step()
            answer = {'seconds': time.perf_counter() - started}
        else:
            times = []
            for _ in range(request['count']):
                begun = time.perf_counter()
                training.step()
                times.append(1000 * (time.perf_counter() - begun))
            answer = {'ms': times}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
