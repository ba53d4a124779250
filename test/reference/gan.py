"""
Reference values of the BigGAN networks, made with PyTorch (2.13, CPU, float64); writes gan.json beside this file.

    python test/reference/gan.py

Written here from the papers, for 32x32 images: residual blocks, class embedding shared and joined by a chunk of the
latents for each block's conditional affine, self-attention, projection discriminator (Brock et al. 2019, appendix B; Zhang
et al. 2019; Miyato & Koyama 2018), spectral normalisation with one step of power iteration a use (Miyato et al. 2018), hinge
losses, orthogonal regularisation (Brock et al. 2019, equation 3). Layers with a conditional affine: BN-ReLU's between norm
and activation, EvoNorm's closing.

The JSON, by layer: `discriminator` and `generator`, each the loss of one step on `drawn` weights, latents and images, and
for each parameter (in creation order) its gradient's sum weighted by drawn(its number + 2000). The generator's step comes
after the discriminator's, with the same weights, but power iterations went on. `images`: the number that latents and images
are drawn from, the first with which nothing lies on ReLU's kink.
"""
import json
import os

import torch
import torch.nn.functional as F

from networks import drawn

EPSILON, GROUPS, CLASSES = 1e-5, 8, 10
CONFIG = {'channels': 4, 'latent': 9, 'embedding': 6, 'attention': 16, 'batch': 4, 'orthogonal': 0.01}
LEAST_MARGIN = 1e-6


class Network:
    """Parameters and power-iteration vectors in creation order."""

    def __init__(self, draw):
        self.parameters, self.filters, self.directions, self.draw = [], [], [], draw
        self.margins = []

    def parameter(self, shape, start=None):
        tensor = self.draw(len(self.parameters), shape, start).requires_grad_()
        self.parameters.append(tensor)
        return tensor

    def filter(self, *shape):
        """A weight [..., outputs], to be used spectrally normalised."""
        weight = self.parameter(shape)
        direction = self.draw(5000 + len(self.directions), (shape[-1],), None, direction=True)
        self.filters.append(weight)
        self.directions.append(direction)

        def normal():
            matrix = weight.reshape(-1, shape[-1])
            with torch.no_grad():
                left = matrix @ direction
                left = left / left.norm().clamp_min(1e-6)
                right = matrix.T @ left
                right = right / right.norm().clamp_min(1e-6)
                direction.copy_(right)
            return weight / (left @ matrix @ right)

        return normal

    def conv(self, size, source, target, bias=True):
        weight = self.filter(size, size, source, target)
        offset = self.parameter((target,), 0.0) if bias else None
        return lambda x: F.conv2d(x, weight().permute(3, 2, 0, 1), offset, padding=size // 2)

    def linear(self, source, target, bias=True):
        weight = self.filter(source, target)
        offset = self.parameter((target,), 0.0) if bias else None
        return lambda x: x @ weight() + offset if bias else x @ weight()

    def relu(self, x):
        self.margins.append(x.detach().abs().min().item())
        return F.relu(x)

    def layer(self, channels, kind, conditional):
        """The norm-activation layer as a function of x, gamma and beta [batch, channels, 1, 1]."""
        vector = lambda start: self.parameter((channels,), start)[None, :, None, None]
        # In the engine's order: v0, v1, gamma, beta.
        if kind == 'BN-ReLU':
            own = None if conditional else (lambda v0, v1: (v1, v0))(vector(0.0), vector(1.0))

            def bn(x, gamma, beta):
                variance, mean = torch.var_mean(x, (0, 2, 3), unbiased=False, keepdim=True)
                return self.relu((x - mean) / (variance + EPSILON).sqrt() * gamma + beta)

            return bn if conditional else lambda x: bn(x, *own)
        v1 = vector(1.0)
        own = None if conditional else (vector(1.0), vector(0.0))

        def evonorm(x, gamma, beta):
            if kind == 'EvoNorm-S0':
                n, c, h, w = x.shape
                groups = max(g for g in range(1, GROUPS + 1) if c % g == 0)
                variance = x.reshape(n, groups, -1).var(2, unbiased=False)
                deviation = (variance + EPSILON).sqrt().repeat_interleave(c // groups, 1)[:, :, None, None]
                return x * torch.sigmoid(v1 * x) / deviation * gamma + beta
            batch = (x.var((0, 2, 3), unbiased=False, keepdim=True) + EPSILON).sqrt()
            instance = (x.var((2, 3), unbiased=False, keepdim=True) + EPSILON).sqrt()
            self.margins.append((batch - v1 * x - instance).detach().abs().min().item())
            return x / torch.maximum(batch, v1 * x + instance) * gamma + beta

        return evonorm if conditional else lambda x: evonorm(x, *own)

    def site(self, channels, width, kind):
        layer = self.layer(channels, kind, True)
        gain, bias = self.linear(width, channels, False), self.linear(width, channels, False)
        return lambda x, y: layer(x, gain(y)[:, :, None, None] + 1, bias(y)[:, :, None, None])

    def attention(self, channels):
        query, key = self.conv(1, channels, channels // 8, False), self.conv(1, channels, channels // 8, False)
        content, mix = self.conv(1, channels, channels // 2, False), self.conv(1, channels // 2, channels, False)
        gate = self.parameter((1,), 0.0)

        def attend(x):
            n, c, h, w = x.shape
            q = query(x).reshape(n, -1, h * w)
            k, v = F.max_pool2d(key(x), 2).reshape(n, -1, h * w // 4), F.max_pool2d(content(x), 2).reshape(n, -1, h * w // 4)
            weights = torch.softmax(q.transpose(1, 2) @ k, 2)
            return x + gate * mix((v @ weights.transpose(1, 2)).reshape(n, -1, h, w))

        return attend


def up(x):
    return F.interpolate(x, scale_factor=2)


class Generator(Network):
    def __init__(self, kind, channels, latent, embedding, attention, draw, blocks=3):
        super().__init__(draw)
        wide = 4 * channels
        chunk = latent // (blocks + 1)
        self.chunks = [latent - blocks * chunk] + [chunk] * blocks
        self.table = self.parameter((CLASSES, embedding))
        self.project = self.linear(self.chunks[0], 16 * wide)
        self.blocks = []
        for i in range(blocks):
            block = self.block(wide, embedding + chunk, kind)
            self.blocks.append((block, self.attention(wide) if 8 * 2**i == attention else None))
        self.close, self.paint = self.layer(wide, kind, False), self.conv(3, wide, 3)

    def block(self, wide, width, kind):
        first, conv1 = self.site(wide, width, kind), self.conv(3, wide, wide)
        second, conv2 = self.site(wide, width, kind), self.conv(3, wide, wide)
        shortcut = self.conv(1, wide, wide)
        return lambda x, y: conv2(second(conv1(up(first(x, y))), y)) + shortcut(up(x))

    def __call__(self, z, labels):
        first, *rest = z.split(self.chunks, 1)
        # The projection's outputs are [height, width, channels].
        x = self.project(first).reshape(len(z), 4, 4, -1).permute(0, 3, 1, 2)
        for (block, attend), chunk in zip(self.blocks, rest):
            x = block(x, torch.cat([self.table[labels], chunk], 1))
            x = attend(x) if attend else x
        return torch.tanh(self.paint(self.close(x)))


class Discriminator(Network):
    def __init__(self, channels, attention, draw):
        super().__init__(draw)
        wide = 4 * channels
        self.blocks = []
        for i in range(4):
            self.blocks.append(self.block(3 if i == 0 else wide, wide, i == 0, i < 2))
            if i < 2 and 32 // 2 ** (i + 1) == attention:
                self.blocks.append(self.attention(wide))
        self.judge, self.table = self.linear(wide, 1), self.filter(CLASSES, wide)

    def block(self, source, target, first, halved):
        conv1, conv2 = self.conv(3, source, target), self.conv(3, target, target)
        shortcut = self.conv(1, source, target) if source != target or halved else (lambda x: x)
        down = lambda x: F.avg_pool2d(x, 2) if halved else x
        return lambda x: down(conv2(self.relu(conv1(x if first else self.relu(x))))) + down(shortcut(x))

    def __call__(self, x, labels):
        for block in self.blocks:
            x = block(x)
        features = self.relu(x).sum((2, 3))
        return self.judge(features)[:, 0] + (self.table()[labels] * features).sum(1)


def penalty(weights):
    total = 0
    for weight in weights:
        matrix = weight.reshape(-1, weight.shape[-1])
        gram = matrix.T @ matrix
        total = total + (gram - torch.diag(torch.diag(gram))).square().sum()
    return total


def draw(number, shape, start, direction=False):
    count = torch.Size(shape).numel()
    values = drawn(count, number).reshape(shape)
    if direction:
        return values
    if start is None:
        return values * (3 * shape[-1] / count) ** 0.5
    return values / 4 + start


def discriminator_loss(discriminate, real, fake, real_labels, fake_labels):
    scores = discriminate(torch.cat([real, fake]), torch.cat([real_labels, fake_labels]))
    n = len(real)
    return F.relu(1 - scores[:n]).mean() + F.relu(1 + scores[n:]).mean()


def sums(network):
    return [
        (p.grad * drawn(p.numel(), i + 2000).reshape(p.shape)).sum().item() if p.grad is not None else 0.0
        for i, p in enumerate(network.parameters)
    ]


def case(kind, images):
    c = CONFIG
    offset = lambda by: lambda number, *rest, **options: draw(number + by, *rest, **options)
    generate = Generator(kind, c['channels'], c['latent'], c['embedding'], c['attention'], offset(0))
    discriminate = Discriminator(c['channels'], c['attention'], offset(500))
    n = c['batch']
    z = [2 * drawn(n * c['latent'], images + i).reshape(n, -1) for i in (1, 2)]
    real = drawn(n * 32 * 32 * 3, images).reshape(n, 32, 32, 3).permute(0, 3, 1, 2)
    labels = [torch.arange(n) * step % CLASSES for step in (3, 7, 1)]

    with torch.no_grad():
        fake = generate(z[0], labels[1])
    loss_d = discriminator_loss(discriminate, real, fake, labels[0], labels[1])
    loss_d.backward()
    sums_d = sums(discriminate)
    loss_g = -discriminate(generate(z[1], labels[2]), labels[2]).mean() + c['orthogonal'] * penalty(generate.filters)
    loss_g.backward()
    margin = min(generate.margins + discriminate.margins)
    return margin, {
        'layer': kind,
        'images': images,
        'discriminator': {'loss': loss_d.item(), 'sums': sums_d},
        'generator': {'loss': loss_g.item(), 'sums': sums(generate)},
    }


def main():
    torch.set_num_threads(1)
    cases = []
    for kind in ('BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'):
        images, (margin, found) = 10_000, case(kind, 10_000)
        while margin < LEAST_MARGIN:
            images += 10
            margin, found = case(kind, images)
        cases.append(found)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gan.json')
    with open(path, 'w') as file:
        json.dump({'config': CONFIG, 'cases': cases}, file, separators=(',', ':'))
        file.write('\n')


if __name__ == '__main__':
    main()
