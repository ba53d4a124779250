"""
What exported layers (shared/export) stand beside plain float64: half precision, scripting, compiling, exporting, copying.

    python test/reference/exported_modes.py < cases.json > results.json

Reads {cases: [{target, class, code, full}]}; `full` asks for the slow checks too. Writes {targets: {name: version or
null}, checks: {name: count}, missing: [...], problems: [sentence, ...]}. Inputs have standard deviation 300, as the
activations of a deep network in float16 may. A half-precision result may be off from float64 by what its own rounding
and float32's arithmetic cost, no more.
"""
import copy
import importlib
import importlib.util
import io
import itertools
import json
import os
import sys
import tempfile
import warnings
from collections import Counter

os.environ.setdefault('KERAS_BACKEND', 'torch')
os.environ.setdefault('JAX_PLATFORMS', 'cpu')
warnings.filterwarnings('ignore')
import numpy as np

folder, number = tempfile.TemporaryDirectory(), itertools.count()
N, C, H, W = 4, 8, 4, 4
checks, problems, missing = Counter(), [], set()
rng = np.random.default_rng(1)
X = (rng.normal(size=(N, H, W, C)) * 300).astype(np.float16)
ROUNDING = {'float16': 2.0**-10, 'bfloat16': 2.0**-7}


def installed(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def check(what, ok, told=''):
    checks[what] += 1
    if not ok:
        problems.append(f'{what}: {told}')


def close(what, name, got, single, double, dtype):
    """Half precision against float64, where float64 is within half's range."""
    got, single, double = (np.asarray(a, np.float64) for a in (got, single, double))
    least = 6e-8 if dtype == 'float16' else 1e-37
    bound = 2 * ROUNDING[dtype] * np.abs(double) + 4 * np.abs(single - double) + least
    within = np.isfinite(double) & (np.abs(double) < 6e4) & np.isfinite(single)
    off = (np.abs(got - double) > bound) | ~np.isfinite(got)
    check(what, not (off & within).any(), f'{name}: {got[off & within][:3]}, not {double[off & within][:3]}')


def defined(case):
    # A file, as a user has it: TorchScript reads the source.
    name = f'exported_{next(number)}'
    file = os.path.join(folder.name, name + '.py')
    with open(file, 'w') as out:
        out.write(case['code'])
    spec = importlib.util.spec_from_file_location(name, file)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, case['class']), vars(module)


def pytorch(case):
    import torch

    name = case['name']
    layer_class, _ = defined(case)
    image = torch.tensor(X).permute(0, 3, 1, 2)

    def run(dtype, autocast=False):
        layer = layer_class(C, groups=4).to(torch.float32 if autocast else dtype)
        x = image.to(dtype)
        with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
            y = layer(x)
        training = y.detach()
        layer.eval()
        return layer, training, layer(x).detach()

    doubles = {dtype: None for dtype in (torch.float16, torch.bfloat16)}
    for dtype in doubles:
        rounded = image.to(dtype)
        references = []
        for wide in (torch.float32, torch.float64):
            layer = layer_class(C, groups=4).to(wide)
            training = layer(rounded.to(wide)).detach()
            references.append((layer, training, layer.eval()(rounded.to(wide)).detach()))
        (_, single, single_eval), (reference, double, double_eval) = references
        short = str(dtype).split('.')[1]
        for mode, autocast in (('tensors', False), ('autocast', True))[: 2 if dtype == torch.bfloat16 else 1]:
            layer, training, inference = run(dtype, autocast)
            what = f'PyTorch {short} {mode}'
            check(what, training.dtype == dtype, f'{name} gives {training.dtype}')
            close(what, name, training.double(), single, double, short)
            close(what, name, inference.double(), single_eval, double_eval, short)
            for (key, value), wanted in zip(layer.named_buffers(), reference.buffers()):
                ok = value.dtype == torch.float32 and torch.allclose(value.double(), wanted, rtol=1e-3, atol=1e-3)
                check(f'{what}: moving averages', ok or not wanted.isfinite().all(), f'{name}: {key} {value.dtype}')

    x = image.float()
    layer = layer_class(C, groups=4)
    layer(x)
    scripted = torch.jit.script(layer_class(C, groups=4))
    scripted.load_state_dict(layer.state_dict())
    same = lambda a, b: torch.equal(a.isfinite(), b.isfinite()) and torch.allclose(
        a.nan_to_num(0, 0, 0), b.nan_to_num(0, 0, 0), rtol=1e-4, atol=1e-4)
    check('torch.jit.script', same(scripted.train()(x), copy.deepcopy(layer).train()(x)), name)
    layer.eval()
    twin = layer_class(C, groups=4)
    twin.load_state_dict(layer.state_dict())
    check('state_dict', same(twin.eval()(x), layer(x)), name)
    check('deepcopy', same(copy.deepcopy(layer)(x), layer(x)), name)
    if not case['full']:
        return
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    compiled = torch.compile(copy.deepcopy(layer), backend='aot_eager', fullgraph=True)
    check('torch.compile', same(compiled(x), layer(x)), name)
    trained, plain = layer_class(C, groups=4), layer_class(C, groups=4)
    check('torch.compile', same(torch.compile(trained, backend='aot_eager', fullgraph=True)(x), plain(x)), name)
    check('torch.compile', all(same(a, b) for a, b in zip(trained.buffers(), plain.buffers())), f'{name}: buffers')
    program = torch.export.export(layer, (x,))
    check('torch.export', same(program.module()(x), layer(x)), name)
    if not installed('onnx', 'onnxscript'):
        missing.add('ONNX (needs onnx, onnxscript)')
        return
    onnx = torch.onnx.export(layer, (x,), dynamo=True, verbose=False)
    from onnx.reference import ReferenceEvaluator
    evaluator = ReferenceEvaluator(onnx.model_proto)
    (y,) = evaluator.run(None, {evaluator.input_names[0]: x.numpy()})
    check('ONNX', same(torch.tensor(y), layer(x).detach()), name)


def replacing(case):
    import torch
    from torch import nn

    import exported_replace

    layer_class, namespace = defined(case)
    replace = namespace['replace']

    class Act(nn.BatchNorm2d):
        """As timm's BatchNormAct2d."""
        def __init__(self, n):
            super().__init__(n)
            self.act = nn.SiLU()

    class Row(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn1, self.relu = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU()
            self.deep = Functional()

        def forward(self, x):
            return self.deep(self.relu(self.bn1(self.conv(x))))

    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm2d(8)

        def forward(self, x):
            return torch.relu(self.bn(x))

    relu = nn.ReLU()
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), relu, Act(8), Row(), nn.BatchNorm2d(8), relu, nn.BatchNorm2d(8))
    left = replace(model.half())
    check('replace', left == {'7': 'no activation comes next'}, f'left {left}')
    kinds = [type(module).__name__ for module in model]
    own = layer_class.__name__
    check('replace', kinds == ['Conv2d', own, 'Identity', own, 'Row', own, 'Identity', 'BatchNorm2d'], f'{kinds}')
    check('replace', type(model[4].bn1) is layer_class and model[4].bn1.eps == 1e-3, 'a row of attributes')
    check('replace', all(p.dtype == torch.float16 for p in model.parameters()), 'dtype')
    y = model(torch.randn(2, 3, 4, 4, dtype=torch.float16))
    check('replace', bool(y.isfinite().all()), 'the model runs')
    exported_replace.replaced(layer_class, replace, check)


def keras(case):
    import torch

    layer_class, _ = defined(case)
    name = case['name']

    def run(policy, dtype, full=X):
        layer = layer_class(dtype=policy)
        layer.build(full.shape)
        x = torch.tensor(full.astype(dtype))
        training = {'training': True} if 'momentum' in layer.get_config() else {}
        y = layer(x, **training)
        return layer, y.detach(), layer(x, **{key: False for key in training}).detach()

    (_, single, single_eval), (reference, double, double_eval) = (run(d, d) for d in ('float32', 'float64'))
    for policy in ('mixed_float16', 'float16'):
        layer, y, inference = run(policy, 'float16')
        what = f'Keras {policy}'
        check(what, y.dtype == torch.float16, f'{name} gives {y.dtype}')
        close(what, name, y.double(), single, double, 'float16')
        close(what, name, inference.double(), single_eval, double_eval, 'float16')
        for weight, wanted in zip(layer.non_trainable_weights, reference.non_trainable_weights):
            got, wanted = weight.value.detach(), wanted.value.detach()
            ok = got.dtype == torch.float32 and torch.allclose(got.double(), wanted, rtol=1e-3, atol=1e-3)
            check(f'{what}: moving averages', ok or not wanted.isfinite().all(), f'{name}: {weight.name} {got.dtype}')


def flax(case):
    import jax
    import jax.numpy as jnp

    jax.config.update('jax_enable_x64', True)
    layer_class, _ = defined(case)
    name = case['name']

    def run(dtype, /, **fields):
        layer = layer_class(**fields)
        x = jnp.asarray(X).astype(dtype)
        start = layer.init(jax.random.PRNGKey(0), x)
        y, updated = layer.apply(start, x, train=True, mutable=['batch_stats'])
        return y, layer.apply({**start, **updated}, x, train=False), updated.get('batch_stats', {})

    (single, single_eval, _), (double, double_eval, reference) = (run(d) for d in (jnp.float32, jnp.float64))
    for what, dtype, fields in (
        ('Flax float16 input', jnp.float16, {}),
        ('Flax dtype=float16', jnp.float32, {'dtype': jnp.float16}),
        ('Flax param_dtype=float16', jnp.float16, {'param_dtype': jnp.float16}),
    ):
        y, inference, statistics = run(dtype, **fields)
        check(what, y.dtype == jnp.float16, f'{name} gives {y.dtype}')
        close(what, name, y.astype(jnp.float64), single, double, 'float16')
        close(what, name, inference.astype(jnp.float64), single_eval, double_eval, 'float16')
        for key, wanted in reference.items():
            got = statistics[key]
            ok = got.dtype == jnp.float32 and np.allclose(got, wanted, rtol=1e-3, atol=1e-3)
            check(f'{what}: moving averages', ok or not np.isfinite(wanted).all(), f'{name}: {key} {got.dtype}')


def main():
    given = json.load(sys.stdin)
    needs = {'pytorch': ('torch',), 'keras': ('keras', 'torch'), 'flax': ('flax', 'jax')}
    run = {'pytorch': pytorch, 'keras': keras, 'flax': flax}
    for case in given['cases']:
        if not installed(*needs[case['target']]):
            missing.add(case['target'])
            continue
        try:
            run[case['target']](case)
            if case['target'] == 'pytorch' and case['full']:
                replacing(case)
        except Exception as error:
            problems.append(f"{case['target']}, {case['name']}: {type(error).__name__}: {str(error)[:600]}")
    sys.stdout.write('\n' + json.dumps({'checks': checks, 'missing': sorted(missing), 'problems': problems}))


main()
