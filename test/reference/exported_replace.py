"""
`replace` of a PyTorch export, tried on the models that people have: torchvision's blocks, written by hand.

Each network is built twice: with BatchNorm2d and activations, given to `replace`, and with the layer put in by hand.
Weights are the same then; so must be results, gradients and names.
"""
import copy

import torch
from torch import nn
from torch.nn import functional as F


class Norm(nn.BatchNorm2d):
    """As timm's BatchNormAct2d."""
    def __init__(self, n):
        super().__init__(n)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(super().forward(x))


def blocks(norm, act, call):
    """The network's class. By hand: `norm` is the layer, `act` and `call` leave the activation out."""
    bn = nn.BatchNorm2d

    class BasicBlock(nn.Module):
        """torchvision's: one relu after bn1 and after the sum."""
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1, self.relu = nn.Conv2d(8, 8, 3, padding=1), norm(8), nn.ReLU(inplace=True)
            self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, padding=1), bn(8)

        def forward(self, x):
            out = self.bn1(self.conv1(x))
            out = call(self.relu, out)
            out = self.bn2(self.conv2(out))
            out += x
            return self.relu(out)

    class Bottleneck(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(8, 4, 1), norm(4)
            self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1), norm(4)
            self.conv3, self.bn3 = nn.Conv2d(4, 8, 1), bn(8)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = nn.Sequential(nn.Conv2d(8, 8, 1), bn(8))

        def forward(self, x):
            out = self.bn1(self.conv1(x))
            out = call(self.relu, out)
            out = self.bn2(self.conv2(out))
            out = call(self.relu, out)
            out = self.bn3(self.conv3(out))
            out += self.downsample(x)
            return self.relu(out)

    class InvertedResidual(nn.Module):
        """MobileNetV2's."""
        def __init__(self):
            super().__init__()
            self.conv = nn.Sequential(
                nn.Sequential(nn.Conv2d(8, 16, 1), norm(16), act(nn.ReLU6(inplace=True))),
                nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, groups=16), norm(16), act(nn.ReLU6(inplace=True))),
                nn.Conv2d(16, 8, 1), bn(8))

        def forward(self, x):
            return x + self.conv(x)

    class Dense(nn.Module):
        """DenseNet's layer, norm-relu-conv; dropout that asks whether it trains."""
        def __init__(self):
            super().__init__()
            self.norm1, self.relu1, self.conv1 = norm(8), act(nn.ReLU(inplace=True)), nn.Conv2d(8, 8, 1)
            self.norm2, self.relu2, self.conv2 = norm(8), act(nn.ReLU(inplace=True)), nn.Conv2d(8, 4, 3, padding=1)

        def forward(self, x):
            new = self.conv2(self.relu2(self.norm2(self.conv1(self.relu1(self.norm1(torch.cat([x], 1)))))))
            return torch.cat([x, F.dropout(new, 0.5, training=self.training)], 1)[:, :8]

    class Calls(nn.Module):
        """Functions and methods; one norm that feeds two; dropout that asks whether it trains."""
        def __init__(self):
            super().__init__()
            self.norms = nn.ModuleList([norm(8) for _ in range(6)])
            self.fork, self.timm = bn(8), Norm(8) if norm is bn else norm(8)

        def forward(self, x):
            for i, f in enumerate((F.relu, torch.relu, lambda y: y.relu(), F.relu6, F.silu, F.hardswish)):
                x = call(f, self.norms[i](x))
            y = self.fork(F.dropout(x, 0.5, training=self.training))
            return self.timm(F.relu(y) + y)

    class Branching(nn.Module):
        """Not to be traced: which of the two is first?"""
        def __init__(self):
            super().__init__()
            self.bn1, self.bn2, self.relu = bn(8), bn(8), nn.ReLU()

        def forward(self, x):
            x = self.relu(self.bn1(x)) if x.sum() > 0 else self.bn1(x)
            return self.relu(self.bn2(x))

    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn, self.relu = norm(8), act(nn.ReLU())

        def forward(self, x, scale=1.0):
            return self.relu(self.bn(x)) * scale

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1, self.relu = nn.Conv2d(3, 8, 3), norm(8), act(nn.ReLU())
            self.layer1 = nn.Sequential(BasicBlock(), Bottleneck())
            self.layer2, self.layer3, self.calls = InvertedResidual(), Dense(), Calls()
            self.branching, self.pair = Branching(), Pair()

        def forward(self, x):
            x = self.layer1(self.relu(self.bn1(self.conv1(x))))
            return self.pair(self.branching(self.calls(self.layer3(self.layer2(x))))).mean((2, 3))

        def features(self, x):
            return self.layer1[0](x)

    return Network


LEFT = {
    'layer1.0.bn2': 'add', 'layer1.1.bn3': 'add', 'layer1.1.downsample.1': 'no activation',
    'layer2.conv.3': 'no activation', 'calls.fork': 'relu_3, add', 'branching.bn1': 'traced', 'branching.bn2': 'traced',
}


def replaced(layer_class, replace, check):
    plain = blocks(nn.BatchNorm2d, lambda a: a, lambda f, y: f(y))()
    hand = blocks(layer_class, lambda a: nn.Identity(), lambda f, y: y)()
    classes = {name: type(module) for name, module in plain.named_modules()}
    names = list(plain.state_dict())
    plain.layer3.norm1.eps = 1e-3
    hand.layer3.norm1.eps = 1e-3
    model = plain.to(torch.float64)
    left = replace(model)
    check('replace', set(left) == set(LEFT) and all(LEFT[k] in left[k] for k in left), f'left {left}')
    swapped = {n for n, m in model.named_modules() if type(m) is layer_class}
    wanted = {n for n, m in hand.named_modules() if type(m) is layer_class}
    check('replace', swapped == wanted, f'swapped {sorted(swapped ^ wanted)} otherwise')
    check('replace', all(p.dtype == torch.float64 for p in model.parameters()), 'dtype')
    check('replace', model.layer3.norm1.eps == 1e-3, 'eps')
    inside = tuple(f'{n}.' for n in wanted)
    check('replace', [n for n in names if not n.startswith(inside)] ==
          [n for n in model.state_dict() if not n.startswith(inside)], 'state_dict names')
    check('replace', all(isinstance(m, classes[n]) for n, m in model.named_modules()
                         if n in classes and n not in wanted and not isinstance(m, nn.Identity)), 'classes')
    hand = hand.to(torch.float64)
    hand.load_state_dict(model.state_dict())
    x = torch.randn(4, 3, 8, 8, dtype=torch.float64)

    def step(net):
        net.zero_grad()
        torch.manual_seed(1)
        y = net(x)
        y.square().mean().backward()
        torch.optim.SGD(net.parameters(), 0.1).step()
        return y.detach()

    twin = copy.deepcopy(model)
    for training in (True, False):
        for net in (model, hand, twin):
            net.train(training)
        for what, other in (('by hand', hand), ('deepcopy', twin)):
            check('replace', torch.allclose(step(copy.deepcopy(model)), step(copy.deepcopy(other))), f'{what}, {training}')
        a, b = step(model), step(hand)
        check('replace', torch.allclose(a, b), f'a step, {training}')
        step(twin)
        check('replace', all(torch.allclose(a, b) for a, b in zip(model.state_dict().values(), hand.state_dict().values())),
              f'weights after a step, {training}')
    wide = torch.randn(2, 8, 8, 8, dtype=torch.float64)
    check('replace', torch.equal(model.features(wide), hand.features(wide)), 'methods')
    again = blocks(nn.BatchNorm2d, lambda a: a, lambda f, y: f(y))().to(torch.float64)
    replace(again)
    again.load_state_dict(model.state_dict())
    check('replace', torch.equal(again.eval()(x), model.eval()(x)), 'state_dict')
