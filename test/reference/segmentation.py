"""
Reference values of segmentation, made with PyTorch (2.13, CPU, float64); writes segmentation.json beside this file.

    python test/reference/segmentation.py

The JSON:
  settings    of the tiny Mask R-CNN (mask_rcnn.py beside this file)
  batch       boxes and classes of two images' objects, the anchors drawn and the objects they stand for; images, chance
              and weights are `drawn` numbers (networks.py), object o's mask is a disc of its own radius in its box
  matched     for each image: how many anchors stand for an object, are background, are neither; and their weighted sum
  steps       for each layer, the number that its images are drawn from, and two SGD steps (Nesterov momentum 0.9, weight
              decay 1e-4 on kernels, rate 0.02): losses before each, weighted sums of the trainable tensors after both, and
              detections with moving averages
  pasted      a mask of 28 x 28 probabilities in a box, pasted into an image: the pixels set
"""
import json
import math
import os

import torch

from mask_rcnn import MaskRcnn, iou
from networks import as_ours, draw_weights, drawn, is_kernel, rounded

# Group norm of two values is all but singular: the box head has four channels a group.
SETTINGS = {
    'imageSize': 64, 'classes': 3, 'width': 0.125, 'depth': 0.1, 'stride': 2, 'pyramid': 8, 'box': 32, 'mask': 8,
    'anchorScale': 8, 'anchors': 24, 'candidates': 30, 'proposals': 18, 'rois': 16, 'objects': 3, 'detections': 6,
}
BOXES = [
    [[5.0, 8.0, 30.0, 27.0], [33.0, 30.0, 60.0, 62.0], [0.0, 0.0, 0.0, 0.0]],
    [[10.0, 4.0, 29.0, 40.0], [40.0, 6.0, 55.0, 18.0], [2.0, 44.0, 62.0, 61.0]],
]
CLASSES = [[1, 3, 0], [2, 1, 3]]


def match(anchors, boxes):
    """Ren et al. 2015, section 3.1.2: the object of each anchor, -1 background, -2 neither."""
    table = iou(anchors, boxes)
    best, which = table.max(1)
    matched = torch.where(best >= 0.7, which, torch.where(best < 0.3, -1, -2))
    for o in range(len(boxes)):
        matched[table[:, o] >= table[:, o].max() - 1e-5] = o
    return matched


def disc(o):
    places = torch.arange(56, dtype=torch.float64) - 27.5
    inside = (places[:, None] ** 2 + places[None] ** 2) < (16 + 5 * o) ** 2
    # Not 1 and 0: halfway between two pixels would then be just at the threshold.
    return torch.where(inside, 0.9, 0.05).double()


def batch_of(net, number):
    s = SETTINGS
    boxes, classes = torch.tensor(BOXES, dtype=torch.float64), torch.tensor(CLASSES)
    anchors, objects, matched = [], [], []
    for own, kind in zip(boxes, classes):
        of = match(net.anchors, own[kind > 0])
        ahead = (of >= 0).nonzero()[:, 0][: s['anchors'] // 2]
        rest = (of == -1).nonzero()[:, 0]
        behind = rest[:: len(rest) // (s['anchors'] - len(ahead) - 1)][: s['anchors'] - len(ahead) - 1]
        which = torch.cat([ahead, behind, behind[:1]])
        anchors.append(which)
        objects.append(torch.cat([of[which[:-1]], torch.tensor([-2])]))
        sums = (of * (torch.arange(len(of)) % 97)).sum().item()
        matched.append([(of >= 0).sum().item(), (of == -1).sum().item(), (of == -2).sum().item(), sums])
    n = len(boxes)
    return {
        'images': (drawn(n * s['imageSize'] ** 2 * 3, number) * 2).reshape(n, s['imageSize'], s['imageSize'], 3).permute(0, 3, 1, 2),
        'anchors': torch.stack(anchors), 'anchorObject': torch.stack(objects), 'boxes': boxes, 'classes': classes,
        'masks': torch.stack([torch.stack([disc(3 * i + o) for o in range(3)]) for i in range(n)]),
        'chance': (drawn(n * (s['proposals'] + 3), 1001) / 2 + 0.5).reshape(n, -1),
    }, matched


def is_output(p):
    """A kernel of what the heads say, alone in having a number of channels that 8 does not divide. Drawn a tenth as large."""
    return is_kernel(p) and p.shape[0] % 8 != 0


def steady_steps(kind):
    """Two steps from the first images at which rounding decides nothing: no choice of regions hangs on the last digits."""
    for number in range(1000, 1100):
        steps = two_steps(kind, number)
        if not all(len(f['scores']) for f in steps[0]['found']):
            continue
        if all(same(two_steps(kind, number, noise)[0], steps[0]) for noise in (1, 2)):
            print(kind, number, steps[0]['losses'], [len(f['scores']) for f in steps[0]['found']], flush=True)
            return steps
    raise RuntimeError('no steady images found')


def same(a, b):
    """Whether noise in the last digits of the starting weights changed no class, and no figure by what would show."""
    flat = lambda row: torch.tensor(sum(row['losses'], []) + sum((f['scores'] for f in row['found']), []))
    classes = lambda row: [f['classes'] for f in row['found']]
    if classes(a) != classes(b) or (flat(a) - flat(b)).abs().max() > 5e-4:
        return False
    wanted = torch.tensor(b['sums'])
    scale = wanted.abs().max() / 100 + 0.01
    return ((torch.tensor(a['sums']) - wanted).abs() / (wanted.abs() + scale)).max() < 1e-3


def two_steps(kind, number, noise=None):
    net = MaskRcnn(SETTINGS, kind).double()
    draw_weights(net)
    with torch.no_grad():
        for p in net.parameters():
            if is_output(p):
                p.mul_(0.1)
            if noise is not None:
                p.mul_(1 + 1e-6 * drawn(p.numel(), 5000 + noise).reshape(p.shape))
    batch, matched = batch_of(net, number)
    parameters = list(net.parameters())
    optimiser = torch.optim.SGD(
        [
            {'params': [p for p in parameters if is_kernel(p)], 'weight_decay': 1e-4},
            {'params': [p for p in parameters if not is_kernel(p)]},
        ],
        lr=0.02, momentum=0.9, nesterov=True,
    )
    losses = []
    for _ in range(2):
        optimiser.zero_grad()
        parts = net.losses(batch)
        losses.append(rounded(parts.detach()))
        parts.sum().backward()
        optimiser.step()
    sums = [(as_ours(p).reshape(-1) * drawn(p.numel(), i + 2000)).sum() for i, p in enumerate(parameters)]
    net.eval()
    found = [
        {
            'boxes': rounded(boxes), 'scores': rounded(scores), 'classes': classes.tolist(),
            'masks': rounded((masks.flatten(1) * drawn(28 * 28, 3000)).sum(1)),
        }
        for boxes, scores, classes, masks in net.detect(batch['images'])
    ]
    row = {'layer': kind, 'images': number, 'losses': losses, 'sums': rounded(torch.stack(sums).detach()), 'found': found}
    return row, batch, matched, sum(p.numel() for p in parameters)


def pasted():
    """Bilinear interpolation of 28 x 28 values at the centres of a 40 x 50 image's pixels, in one box."""
    x, y, width, height = box = [7.3, 4.8, 30.5, 21.4]
    values = drawn(28 * 28, 4000).reshape(28, 28) / 2 + 0.5
    inside = []
    for row in range(40):
        for column in range(50):
            v, u = (row + 0.5 - y) / height * 28 - 0.5, (column + 0.5 - x) / width * 28 - 0.5
            if not (y <= row + 0.5 < y + height and x <= column + 0.5 < x + width):
                continue
            v, u = min(27, max(0, v)), min(27, max(0, u))
            i, j = min(26, math.floor(v)), min(26, math.floor(u))
            a, b = v - i, u - j
            value = (values[i, j] * (1 - b) + values[i, j + 1] * b) * (1 - a) + (values[i + 1, j] * (1 - b) + values[i + 1, j + 1] * b) * a
            if value >= 0.5:
                inside.append(row * 50 + column)
    return {'box': box, 'height': 40, 'width': 50, 'set': inside}


def main():
    rows = [steady_steps(kind) for kind in ('BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0')]
    _, batch, matched, parameters = rows[0]
    lists = {key: batch[key].tolist() for key in ('boxes', 'classes', 'anchors', 'anchorObject')}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'segmentation.json')
    parts = {
        'settings': SETTINGS, 'parameters': parameters, 'batch': lists, 'matched': matched,
        'steps': [row for row, *_ in rows], 'pasted': pasted(),
    }
    with open(path, 'w') as file:
        file.write('{\n' + ',\n'.join(f'"{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in parts.items()) + '\n}\n')
    print(os.path.getsize(path), 'bytes, torch', torch.__version__)


if __name__ == '__main__':
    main()
