/** The helper of a PyTorch export that puts the layer into a model. */
export const replaceFunction = (type: string): string => `ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish,
)
CALLS = {"relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "elu", "elu_", "gelu", "silu", "mish", "hardswish"}


def replace(model: nn.Module, **options) -> dict[str, str]:
    """Puts \`${type}\` in the place of every BatchNorm2d and the activation after it, in \`model\` itself.

    torch.fx traces what each module's \`forward\` calls (its children are traced by themselves). A BatchNorm2d whose result
    goes to an activation alone (nn.ReLU, F.relu, x.relu(), …) becomes the layer; BatchNorm2d with an activation inside
    (timm's BatchNormAct2d) does, too. Given back are the names of those left alone, and why: what feeds a sum stays.

    The activation's module becomes nn.Identity if nothing else in that \`forward\` calls it. Otherwise (a shared relu, a
    function) the module's class becomes a subclass of its own, of the same name, with the traced \`forward\` less that call:
    isinstance, methods, hooks, state_dict and deepcopy work as before; torch.save wants the state_dict, not the model.
    What can't be traced (ifs on values, optional arguments) is swapped only where it has one norm and one activation, side
    by side, taken to be called in this order. The layer starts anew: the norm's weights and moving averages are not taken
    over. \`options\` go to the layer.
    """
    left = {n: "no forward calls it" for n, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}
    made: dict[nn.Module, ${type}] = {}

    def swap(module: nn.Module, path: str, name: str) -> None:
        norm, (parent, _, last) = module.get_submodule(name), name.rpartition(".")
        given = {"eps": norm.eps, **({} if norm.momentum is None else {"momentum": norm.momentum})}
        tensor = next((t for t in (norm.weight, norm.running_mean) if t is not None), None)
        place = {} if tensor is None else {"device": tensor.device, "dtype": tensor.dtype}
        if norm not in made:
            made[norm] = ${type}(norm.num_features, **{**given, **place, **options}).train(norm.training)
        setattr(module.get_submodule(parent), last, made[norm])
        left.pop(path + name, None)

    def trace(module: nn.Module, training: bool) -> fx.Graph:
        if any(p.default is not p.empty for p in signature(module.forward).parameters.values()):
            raise TypeError("optional arguments")
        tracer, was, module.training = fx.Tracer(), module.training, training
        tracer.is_leaf_module = lambda *_: True
        try:
            return tracer.trace(module)
        finally:
            module.training = was

    def is_activation(module: nn.Module, node: fx.Node) -> bool:
        if node.op == "call_module":
            return isinstance(module.get_submodule(node.target), ACTIVATIONS)
        return node.op in ("call_function", "call_method") and getattr(node.target, "__name__", node.target) in CALLS

    def in_row(module: nn.Module, path: str, why: str) -> None:
        children = [(n, c) for n, c in module._modules.items() if c is not None]
        for (name, child), (after, other) in zip(children, [*children[1:], ("", None)]):
            if isinstance(child, nn.BatchNorm2d) and isinstance(other, ACTIVATIONS):
                swap(module, path, name)
                setattr(module, after, nn.Identity())
            elif isinstance(child, nn.BatchNorm2d):
                left[path + name] = why

    def in_graphs(module: nn.Module, path: str, graphs: list[fx.Graph]) -> None:
        calls = [n for g in graphs for n in g.nodes if n.op == "call_module"]
        norms = [n for n in calls if isinstance(module.get_submodule(n.target), nn.BatchNorm2d)]
        gone: list[fx.Node] = []
        for name in dict.fromkeys(n.target for n in norms):
            uses = [list(n.users) for n in norms if n.target == name]
            if all(len(users) == 1 and is_activation(module, users[0]) for users in uses):
                swap(module, path, name)
                gone += [users[0] for users in uses]
            else:
                left[path + name] = "its result goes to " + ", ".join(dict.fromkeys(str(u) for us in uses for u in us))
        stay = {n.target for n in calls if n not in gone}
        names = {n.target for n in gone}
        if all(n.op == "call_module" and n.target not in stay and shared[module.get_submodule(n.target)] == 1 for n in gone):
            for name in names:
                setattr(module.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2], nn.Identity())
            return
        for node in gone:
            node.replace_all_uses_with(node.args[0])
            node.graph.erase_node(node)
        train, infer = (type(fx.GraphModule(module, g)).forward for g in graphs)
        same = graphs[0].python_code("self").src == graphs[1].python_code("self").src
        forward = train if same else lambda self, *given: (train if self.training else infer)(self, *given)
        own = type(module)
        about = {"forward": forward, "__module__": own.__module__, "__qualname__": own.__qualname__, "__doc__": own.__doc__}
        module.__class__ = type(own.__name__, (own,), about)

    shared = Counter(m for _, m in model.named_modules(remove_duplicate=False))
    for path, module in [(f"{n}." if n else "", m) for n, m in model.named_modules()]:
        if isinstance(module, nn.BatchNorm2d) or not any(isinstance(m, nn.BatchNorm2d) for m in module.modules()):
            continue
        for name, child in list(module._modules.items()):
            if isinstance(child, nn.BatchNorm2d) and not isinstance(getattr(child, "act", nn.Identity()), nn.Identity):
                swap(module, path, name)
        if type(module).forward is nn.Module.forward:
            continue  # A list of modules: who calls them was, or is, visited.
        if type(module).forward is nn.Sequential.forward:
            in_row(module, path, "no activation comes next")
            continue
        try:
            graphs = [trace(module, True), trace(module, False)]
        except Exception as error:
            why = f"its forward can't be traced: {error}"
            kinds = [k for c in module.children() for k in (nn.BatchNorm2d, ACTIVATIONS) if isinstance(c, k)]
            if kinds == [nn.BatchNorm2d, ACTIVATIONS]:
                in_row(module, path, why)
            else:
                left.update((path + n, why) for n, c in module.named_children() if isinstance(c, nn.BatchNorm2d))
            continue
        in_graphs(module, path, graphs)
    return left`
