"""
PyTorch beside the engine: the same networks and training step, written to be fast on a CPU: channels last, oneDNN's
convolutions, fused SGD, no needless copies. Answers one JSON request a line:

  {"do": "make", "case": {...}, "compile": false}                -> {"seconds": to the first finished step}
      "device": "cuda" trains on a GPU, "bfloat16": true computes its products in bfloat16
  {"do": "step", "count": 5}                                     -> {"ms": [...], "peak": bytes}
  {"do": "evaluate", "case": {...}}                              -> {"seconds": ...}: a whole evaluation, see evaluate()

"clock": "cpu" in any of them measures the process's own processor time instead of wall time.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-5


class Graph(nn.Module):
    """A layer graph as PyTorch ops, aggregates at their reduced shape."""

    def __init__(self, channels, graph, groups):
        super().__init__()
        self.nodes, self.channels = graph['nodes'], channels
        self.groups = max(g for g in range(1, groups + 1) if channels % g == 0)
        vector = lambda value: nn.Parameter(torch.full((1, channels, 1, 1), value))
        used = {i for node in self.nodes for i in node['inputs']}
        self.v0 = vector(0.0) if 2 in used else None
        self.v1 = vector(1.0) if 3 in used else None
        self.gamma, self.beta = (vector(1.0), vector(0.0)) if graph['affine'] else (None, None)
        for i, node in enumerate(self.nodes):
            if node['op'].endswith('_nhw'):
                self.register_buffer(f's{i}', torch.zeros(1, channels, 1, 1))

    def second(self, a, moment, dims):
        if moment == 'rms':
            return a.square().mean(dims, keepdim=True)
        return a.var(dims, unbiased=False, keepdim=True)

    def aggregate(self, i, a, op):
        moment, over = op.split('_')
        if over == 'nhw' and not self.training:
            value = getattr(self, f's{i}')
        elif over == 'hwg' and a.shape[1] > 1:
            n, c, h, w = a.shape
            grouped = a.reshape(n, self.groups, c // self.groups, h, w)
            value = grouped.mean((2, 3, 4)) if moment == 'mean' else self.second(grouped, moment, (2, 3, 4)).reshape(n, -1)
            value = value.repeat_interleave(c // self.groups, 1)[:, :, None, None]
        else:
            dims = {'nhw': (0, 2, 3), 'hwc': (1, 2, 3), 'hw': (2, 3), 'hwg': (2, 3)}[over]
            value = a.mean(dims, keepdim=True) if moment == 'mean' else self.second(a, moment, dims)
            if over == 'nhw':
                with torch.no_grad():
                    getattr(self, f's{i}').mul_(0.9).add_(value, alpha=0.1)
        return value if moment == 'mean' else (value + EPSILON).sqrt()

    def forward(self, x):
        zero = x.new_zeros(1, 1, 1, 1)
        t = [x, zero, self.v0, self.v1]
        for i, node in enumerate(self.nodes):
            op, a, b = node['op'], t[node['inputs'][0]], t[node['inputs'][-1]]
            if '_' in op:
                t.append(self.aggregate(i, a, op))
            else:
                t.append(OPS[op](a, b))
        y = t[-1].expand_as(x) if t[-1].shape != x.shape else t[-1]
        return y * self.gamma + self.beta if self.gamma is not None else y


def guarded(y):
    return torch.where(y.abs() < EPSILON, torch.where(y < 0, -EPSILON, EPSILON), y)


OPS = {
    'add': lambda a, b: a + b,
    'mul': lambda a, b: a * b,
    'div': lambda a, b: a / guarded(b),
    'max': torch.maximum,
    'neg': lambda a, b: -a,
    'sigmoid': lambda a, b: a.sigmoid(),
    'tanh': lambda a, b: a.tanh(),
    'exp': lambda a, b: a.exp(),
    'log': lambda a, b: a.sign() * (a.abs() + EPSILON).log(),
    'abs': lambda a, b: a.abs(),
    'square': lambda a, b: a.square(),
    'sqrt': lambda a, b: a.sign() * (a.abs() + EPSILON).sqrt(),
}


class BatchNormRelu(nn.BatchNorm2d):
    def forward(self, x):
        return F.relu(super().forward(x), inplace=True)


class EvoNormB0(nn.Module):
    def __init__(self, channels):
        super().__init__()
        vector = lambda value: nn.Parameter(torch.full((1, channels, 1, 1), value))
        self.v1, self.gamma, self.beta = vector(1.0), vector(1.0), vector(0.0)
        self.register_buffer('variance', torch.ones(1, channels, 1, 1))

    def forward(self, x):
        if self.training:
            variance = x.var((0, 2, 3), unbiased=False, keepdim=True)
            with torch.no_grad():
                self.variance.mul_(0.9).add_(variance, alpha=0.1)
        else:
            variance = self.variance
        instance = (x.var((2, 3), unbiased=False, keepdim=True) + EPSILON).sqrt()
        return x / torch.maximum((variance + EPSILON).sqrt(), x * self.v1 + instance) * self.gamma + self.beta


class EvoNormS0(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        vector = lambda value: nn.Parameter(torch.full((1, channels, 1, 1), value))
        self.v1, self.gamma, self.beta = vector(1.0), vector(1.0), vector(0.0)
        self.groups = max(g for g in range(1, groups + 1) if channels % g == 0)

    def forward(self, x):
        n, c, h, w = x.shape
        variance, mean = torch.var_mean(x, (2, 3), unbiased=False)
        # The variance of a group from those of its channels: nothing full-size is reordered.
        variance, mean = variance.view(n, self.groups, -1), mean.view(n, self.groups, -1)
        group = variance.mean(2) + mean.var(2, unbiased=False)
        scale = self.gamma * (group + EPSILON).rsqrt().repeat_interleave(c // self.groups, 1)[:, :, None, None]
        return x * (x * self.v1).sigmoid() * scale + self.beta


def site(channels, case):
    name, groups = case['layer'], case['groups']
    if name == 'BN-ReLU':
        return BatchNormRelu(channels, eps=EPSILON)
    if name == 'EvoNorm-B0':
        return EvoNormB0(channels)
    if name == 'EvoNorm-S0':
        return EvoNormS0(channels, groups)
    return Graph(channels, case['graph'], groups)


def plain(channels, case):
    groups = max(g for g in range(1, case['groups'] + 1) if channels % g == 0)
    return nn.BatchNorm2d(channels, eps=EPSILON) if case['batchNorm'] else nn.GroupNorm(groups, channels, eps=EPSILON)


def convolution(size, source, target, stride=1, depthwise=False, bias=False):
    return nn.Conv2d(source, target, size, stride, size // 2, groups=source if depthwise else 1, bias=bias)


class Bottleneck(nn.Module):
    def __init__(self, source, inner, stride, case):
        super().__init__()
        out = 4 * inner
        self.first = site(source, case)
        self.shortcut = convolution(1, source, out, stride) if source != out or stride != 1 else None
        self.rest = nn.Sequential(
            convolution(1, source, inner), site(inner, case),
            convolution(3, inner, inner, stride), site(inner, case),
            convolution(1, inner, out),
        )

    def forward(self, x):
        activated = self.first(x)
        return self.rest(activated) + (self.shortcut(activated) if self.shortcut is not None else x)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.reduce = convolution(1, channels, reduced, bias=True)
        self.expand = convolution(1, reduced, channels, bias=True)

    def forward(self, x):
        return x * self.expand(F.silu(self.reduce(x.mean((2, 3), keepdim=True)))).sigmoid()


class Inverted(nn.Module):
    def __init__(self, source, stage, stride, case):
        super().__init__()
        wide, target = source * stage['expansion'], stage['channels']
        layers = [convolution(1, source, wide), site(wide, case)] if stage['expansion'] > 1 else []
        layers += [convolution(stage['kernel'], wide, wide, stride, depthwise=True), site(wide, case)]
        if stage['squeeze']:
            layers.append(SqueezeExcite(wide, max(1, round(source * stage['squeeze']))))
        layers += [convolution(1, wide, target), plain(target, case)]
        self.rest, self.residual = nn.Sequential(*layers), stride == 1 and source == target

    def forward(self, x):
        return self.rest(x) + x if self.residual else self.rest(x)


def build(case):
    """The network of shared/architectures, whose stages come with the case."""
    architecture = case['architecture']
    channels = architecture['stem']
    layers = [convolution(3, 3, channels)]
    if not architecture['preactivation']:
        layers.append(site(channels, case))
    for stage in architecture['stages']:
        for i in range(stage['repeats']):
            stride = stage['stride'] if i == 0 else 1
            if stage['block'] == 'bottleneck':
                layers.append(Bottleneck(channels, stage['channels'], stride, case))
                channels = 4 * stage['channels']
            else:
                layers.append(Inverted(channels, stage, stride, case))
                channels = stage['channels']
    if architecture['head']:
        layers.append(convolution(1, channels, architecture['head']))
        channels = architecture['head']
    layers += [site(channels, case), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]
    net = nn.Sequential(*layers)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return net.to(memory_format=torch.channels_last)


def optimizer_of(net):
    kernels = [p for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear)) for p in [m.weight]]
    ids = {id(p) for p in kernels}
    others = [p for p in net.parameters() if id(p) not in ids]
    groups = [{'params': kernels, 'weight_decay': 5e-4}, {'params': others, 'weight_decay': 0}]
    return torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True, fused=True)


class Training:
    def __init__(self, case, compile=False, device='cpu', bfloat16=False):
        torch.manual_seed(1)
        batch = case['batch']
        self.device, self.bfloat16 = device, bfloat16
        self.net = build(case).to(device)
        self.optimizer = optimizer_of(self.net)
        self.apply = torch.compile(self.net) if compile else self.net
        self.images = torch.randn(batch, 3, case['imageSize'], case['imageSize']).to(memory_format=torch.channels_last)
        self.images, self.labels = self.images.to(device), torch.randint(0, 10, (batch,)).to(device)

    def step(self, images=None, labels=None):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bfloat16):
            logits = self.apply(self.images if images is None else images)
        loss = F.cross_entropy(logits.float(), self.labels if labels is None else labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def batches(case):
    """Augmented batches as the engine makes them: random crops of padded images, random flips. All on whole batches."""
    side = case['imageSize']
    pad = side // 8
    images = torch.randint(0, 256, (case['images'], 3, side, side), dtype=torch.uint8)
    padded = F.pad(images, (pad, pad, pad, pad)).permute(0, 2, 3, 1).contiguous()
    labels = torch.randint(0, 10, (case['images'],))
    size = case['batch']
    while True:
        order = torch.randperm(case['images'])
        for start in range(0, case['images'] - size + 1, size):
            index = order[start : start + size]
            rows = torch.randint(0, 2 * pad + 1, (size, 1)) + torch.arange(side)
            columns = torch.randint(0, 2 * pad + 1, (size, 1)) + torch.arange(side)
            columns = torch.where(torch.rand(size, 1) < 0.5, columns.flip(1), columns)
            cut = padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]
            yield (cut.float().sub_(120).div_(64)).permute(0, 3, 1, 2), labels[index]


def stability(case, steps, size):
    """Gradient ascent of the convolutions on the squared norm of their gradient (double backward)."""
    net = build(case).train()
    weights = [m.weight for m in net.modules() if isinstance(m, nn.Conv2d)]
    images = torch.randn(size, 3, case['imageSize'], case['imageSize']).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (size,))
    for _ in range(steps):
        first = torch.autograd.grad(F.cross_entropy(net(images), labels), weights, create_graph=True)
        squared = sum(g.square().sum() for g in first)
        second = torch.autograd.grad(squared, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, second):
                weight.add_(gradient, alpha=1e-6)
        squared.item()


def evaluate(case):
    """One candidate as the engine evaluates it: each network trained with four validations, and the stability test."""
    data = batches(case)
    validation = torch.randn(100, 3, case['imageSize'], case['imageSize']).to(memory_format=torch.channels_last)
    for number, architecture in enumerate(case['architectures']):
        one = {**case, 'architecture': architecture}
        training = Training(one)
        for step in range(1, case['steps'] + 1):
            training.step(*next(data))
            if step % max(1, case['steps'] // 4) == 0:
                training.net.eval()
                with torch.inference_mode():
                    for _ in range(case['validationImages'] // 100):
                        training.apply(validation).argmax(1)
                training.net.train()
        if number == 0 and case['stabilitySteps']:
            stability(one, case['stabilitySteps'], case['stabilityBatch'])


def resident(key):
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key))


def reset_peak():
    try:
        with open('/proc/self/clear_refs', 'w') as file:
            file.write('5')
    except OSError:
        pass


def main():
    training, base = None, resident('VmRSS:')
    for line in sys.stdin:
        request = json.loads(line)
        # A busy machine says less about wall time than about the processor's time.
        clock = time.process_time if request.get('clock') == 'cpu' else time.perf_counter
        started = clock()
        if request['do'] == 'make':
            training = None
            reset_peak()
            options = {name: request[name] for name in ('compile', 'device', 'bfloat16') if name in request}
            training = Training(request['case'], **options)
            training.step()
            answer = {'seconds': clock() - started}
        elif request['do'] == 'step':
            times = []
            for _ in range(request['count']):
                begun = clock()
                training.step()
                times.append(1000 * (clock() - begun))
            answer = {'ms': times, 'peak': resident('VmHWM:') - base}
        else:
            evaluate(request['case'])
            answer = {'seconds': clock() - started}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
