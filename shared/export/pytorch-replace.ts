/** The helper of a PyTorch export that puts the layer into a model. */
export const replaceFunction = (type: string): string => `ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish,
)


def replace(model: nn.Module, **options) -> list[str]:
    """Puts \`${type}\` in the place of every BatchNorm2d and the activation after it, in \`model\` itself.

    Seen are: BatchNorm2d and an activation side by side in an nn.Sequential, BatchNorm2d with an activation inside
    (timm's BatchNormAct2d), and attributes side by side, as \`bn1\`, \`relu\`, where the module has one of either (they
    are taken to be called in this order). Not seen is what \`forward\` does: F.relu(self.bn(x)), one \`relu\` for several norms, or a sum
    between norm and activation. These stay as they are; their names are given back.

    The layer starts anew: weights and moving averages of the BatchNorm2d are not taken over. \`options\` go to the layer.
    """
    left: list[str] = []

    def layer(norm: nn.BatchNorm2d) -> ${type}:
        given = {"eps": norm.eps, **({} if norm.momentum is None else {"momentum": norm.momentum})}
        tensor = next((t for t in (norm.weight, norm.running_mean) if t is not None), None)
        place = {} if tensor is None else {"device": tensor.device, "dtype": tensor.dtype}
        return ${type}(norm.num_features, **{**given, **place, **options}).train(norm.training)

    def visit(module: nn.Module, path: str) -> None:
        children = list(module._modules.items())
        norms = [c for _, c in children if isinstance(c, nn.BatchNorm2d)]
        activations = [c for _, c in children if isinstance(c, ACTIVATIONS)]
        row = isinstance(module, nn.Sequential) or (len(norms) == 1 and len(activations) == 1)
        for i, (name, child) in enumerate(children):
            if child is None:
                continue
            if not isinstance(child, nn.BatchNorm2d):
                visit(child, f"{path}{name}.")
                continue
            own = getattr(child, "act", None)
            after = children[i + 1] if row and i + 1 < len(children) else None
            if isinstance(own, nn.Module) and not isinstance(own, nn.Identity):
                setattr(module, name, layer(child))
            elif after is not None and isinstance(after[1], ACTIVATIONS):
                setattr(module, name, layer(child))
                setattr(module, after[0], nn.Identity())
            else:
                left.append(f"{path}{name}")

    visit(model, "")
    return left`
