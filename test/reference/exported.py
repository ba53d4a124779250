"""
Runs exported layers (shared/export) on given numbers; nothing is kept, the tests compare at once.

    python test/reference/exported.py < cases.json > results.json

Reads {shape, groups, cases: [{target, class, code, keep, v0, v1, gamma, beta, x, x2, dy}]}, tensors as flat lists in
[batch, height, width, channels] order; `keep` is false where the moving averages are to forget all but the last batch.
Writes {targets: {name: version or null}, results: [...]}, a result for each case whose framework is installed: y, dx
and the gradients of the vectors that the layer has (of sum(y * dy)), the moving averages by name after that step, then
`inference`, the output for x2 with them. All in float64.
"""
import importlib
import importlib.util
import inspect
import json
import os
import sys

os.environ.setdefault('KERAS_BACKEND', 'torch')
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
VECTORS = ('v0', 'v1', 'gamma', 'beta')


def defined(case):
    namespace = {'__name__': 'exported'}
    exec(compile(case['code'], case['class'] + '.py', 'exec'), namespace)
    return namespace[case['class']]


def options(layer_class, groups, momentum, keep):
    """The constructor's options, of those the layer has. `momentum` is what forgets all but the last batch."""
    wanted = {'groups': groups, **({} if keep else {'momentum': momentum})}
    return {key: value for key, value in wanted.items() if key in inspect.signature(layer_class).parameters}


class Torch:
    name, modules = 'pytorch', ('torch',)

    def run(self, case, shape, groups):
        import torch

        def image(key):
            return torch.tensor(case[key], dtype=torch.float64).reshape(shape).permute(0, 3, 1, 2)

        layer_class = defined(case)
        layer = layer_class(shape[3], **options(layer_class, groups, 1.0, case['keep'])).double()
        vectors = {key: getattr(layer, key) for key in VECTORS if hasattr(layer, key)}
        for key, vector in vectors.items():
            vector.data = torch.tensor(case[key], dtype=torch.float64).reshape(vector.shape)
        x = image('x').requires_grad_()
        y = layer(x)
        leaves = {'x': x, **vectors}
        gradients = torch.autograd.grad((y * image('dy')).sum(), list(leaves.values()), allow_unused=True)
        statistics = {key: value.reshape(-1).tolist() for key, value in layer.named_buffers()}
        inference = layer.eval()(image('x2'))
        back = lambda t: t.detach().permute(0, 2, 3, 1).reshape(-1).tolist()
        result = {'y': back(y), 'inference': back(inference), **statistics}
        for key, gradient, leaf in zip(leaves, gradients, leaves.values()):
            gradient = torch.zeros_like(leaf) if gradient is None else gradient
            result['d' + key] = back(gradient)
        return result


class Keras:
    name, modules = 'keras', ('keras', 'torch')

    def run(self, case, shape, groups):
        import torch

        image = lambda key: torch.tensor(case[key], dtype=torch.float64).reshape(shape)
        layer_class = defined(case)
        layer = layer_class(dtype='float64', **options(layer_class, groups, 0.0, case['keep']))
        layer.build(shape)
        training = {'training': True} if 'momentum' in layer.get_config() else {}
        vectors = {key: getattr(layer, key) for key in VECTORS if hasattr(layer, key)}
        for key, vector in vectors.items():
            vector.assign(torch.tensor(case[key], dtype=torch.float64))
        x = image('x').requires_grad_()
        y = layer(x, **training)
        leaves = {'x': x, **{key: vector.value for key, vector in vectors.items()}}
        gradients = torch.autograd.grad((y * image('dy')).sum(), list(leaves.values()), allow_unused=True)
        flat = lambda t: t.detach().reshape(-1).tolist()
        statistics = {weight.name: flat(weight.value) for weight in layer.non_trainable_weights}
        inference = layer(image('x2'), **{key: False for key in training})
        result = {'y': flat(y), 'inference': flat(inference), **statistics}
        for key, gradient, leaf in zip(leaves, gradients, leaves.values()):
            result['d' + key] = flat(torch.zeros_like(leaf) if gradient is None else gradient)
        return result


class Flax:
    name, modules = 'flax', ('jax', 'flax')

    def run(self, case, shape, groups):
        import jax
        import jax.numpy as jnp

        jax.config.update('jax_enable_x64', True)
        image = lambda key: jnp.asarray(case[key], jnp.float64).reshape(shape)
        layer_class = defined(case)
        layer = layer_class(**options(layer_class, groups, 0.0, case['keep']))
        start = layer.init(jax.random.PRNGKey(0), image('x'))
        parameters = {key: jnp.asarray(case[key], jnp.float64) for key in start.get('params', {})}
        statistics = {'batch_stats': start['batch_stats']} if 'batch_stats' in start else {}

        def loss(parameters, x):
            variables = {'params': parameters, **statistics}
            y, updated = layer.apply(variables, x, train=True, mutable=['batch_stats'])
            return (y * image('dy')).sum(), (y, updated)

        (_, (y, updated)), (gradients, dx) = jax.value_and_grad(loss, (0, 1), has_aux=True)(parameters, image('x'))
        inference = layer.apply({'params': parameters, **updated}, image('x2'), train=False)
        flat = lambda t: t.reshape(-1).tolist()
        result = {'y': flat(y), 'inference': flat(inference), 'dx': flat(dx)}
        result.update({key: flat(value) for key, value in updated.get('batch_stats', {}).items()})
        return {**result, **{'d' + key: flat(gradient) for key, gradient in gradients.items()}}


def installed(target):
    return all(importlib.util.find_spec(module) for module in target.modules)


def main():
    given = json.load(sys.stdin)
    targets = {target.name: target for target in (Torch(), Keras(), Flax())}
    results = []
    for case in given['cases']:
        target = targets[case['target']]
        run = installed(target)
        results.append(target.run(case, given['shape'], given['groups']) if run else None)
    versions = {
        name: importlib.import_module(target.modules[-1 if name == 'flax' else 0]).__version__ if installed(target) else None
        for name, target in targets.items()
    }
    json.dump({'targets': versions, 'results': results}, sys.stdout)


main()
