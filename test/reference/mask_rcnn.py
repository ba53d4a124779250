"""
Mask R-CNN with a feature pyramid in PyTorch, written from the papers (He et al. 2017; Lin et al. 2017; Ren et al. 2015)
for segmentation.py beside this file, and for the speed comparison. Adaptations as in the engine: pre-activation ResNet
with the norm-activation layer also before each lateral convolution, after each last convolution of the pyramid, in the
proposal head (all levels normalised together), in the box head's two hidden layers and in the mask head. Boxes are
y1, x1, y2, x2 in pixels. Tensors have channels second, parameters are made in the order of the engine's.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from networks import Bottleneck, Norm, RESNET, Same

RATIOS = (0.5, 1, 2)


def anchor_boxes(image_size, stride, scale):
    boxes, counts = [], []
    for level in range(5):
        step = stride * 2**level
        side = math.ceil(image_size / step)
        for row in range(side):
            for column in range(side):
                for ratio in RATIOS:
                    height = scale * step * math.sqrt(ratio)
                    width = scale * step / math.sqrt(ratio)
                    y, x = (row + 0.5) * step, (column + 0.5) * step
                    boxes.append((y - height / 2, x - width / 2, y + height / 2, x + width / 2))
        counts.append(side * side * len(RATIOS))
    return torch.tensor(boxes, dtype=torch.float64), counts


def iou(a, b):
    top, left = torch.maximum(a[:, None, 0], b[None, :, 0]), torch.maximum(a[:, None, 1], b[None, :, 1])
    bottom, right = torch.minimum(a[:, None, 2], b[None, :, 2]), torch.minimum(a[:, None, 3], b[None, :, 3])
    both = (bottom - top).clamp(min=0) * (right - left).clamp(min=0)
    area = lambda x: (x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1])
    return both / (area(a)[:, None] + area(b)[None] - both).clamp(min=1e-6)


def centred(boxes):
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    return (boxes[..., :2] + boxes[..., 2:]) / 2, sides


def encode(boxes, targets, position=1.0, extent=1.0):
    (centre, sides), (to, to_sides) = centred(boxes), centred(targets)
    return torch.cat([(to - centre) / sides * position, (to_sides / sides).log() * extent], -1)


def decode(boxes, deltas, position=1.0, extent=1.0):
    centre, sides = centred(boxes)
    centre = centre + deltas[..., :2] / position * sides
    sides = sides * (deltas[..., 2:] / extent).clamp(max=math.log(1000 / 16)).exp()
    return torch.cat([centre - sides / 2, centre + sides / 2], -1)


def nms(boxes, scores, overlap, most):
    """Indices that greedy suppression keeps, best first."""
    left, kept = scores.argsort(descending=True, stable=True), []
    table = iou(boxes, boxes)
    while len(left) and len(kept) < most:
        kept.append(left[0].item())
        left = left[1:][table[left[0], left[1:]] <= overlap]
    return torch.tensor(kept, dtype=torch.long)


class Output(nn.Conv2d):
    def __init__(self, source, target):
        super().__init__(source, target, 1)


class MaskRcnn(nn.Module):
    """`s`: imageSize, classes, width, depth, stride, pyramid, box, mask, and the numbers of `regions`."""

    def __init__(self, s, kind):
        super().__init__()
        self.s = s
        scaled = lambda channels: max(8, math.floor(channels * s['width'] / 8 + 0.5) * 8)
        repeats = lambda count: max(1, math.floor(count * s['depth'] + 0.5))
        channels, p = scaled(64), s['pyramid']
        self.stem = Same(7 if s['stride'] == 4 else 3, 3, channels, 2)
        stages, sizes = [], []
        for inner, count, stride in RESNET:
            blocks = []
            for i in range(repeats(count)):
                blocks.append(Bottleneck(channels, scaled(inner), stride if i == 0 else 1, kind))
                channels = 4 * scaled(inner)
            stages.append(nn.Sequential(*blocks))
            sizes.append(channels)
        self.stages = nn.ModuleList(stages)
        self.laterals = nn.ModuleList(nn.Sequential(Norm(c, kind), Same(1, c, p)) for c in sizes)
        self.outputs = nn.ModuleList(nn.Sequential(Same(3, p, p), Norm(p, kind)) for _ in sizes)
        self.rpn_hidden, self.rpn_site = Same(3, p, p), Norm(p, kind)
        self.objectness, self.rpn_deltas = Output(p, len(RATIOS)), Output(p, 4 * len(RATIOS))
        hidden = s['box']
        self.box_body = nn.Sequential(
            nn.Conv2d(p, hidden, 7, bias=False), Norm(hidden, kind), Same(1, hidden, hidden), Norm(hidden, kind)
        )
        self.logits, self.box_deltas = Output(hidden, 1 + s['classes']), Output(hidden, 4 * s['classes'])
        m, layers = s['mask'], []
        for source in (p, m, m, m):
            layers += [Same(3, source, m), Norm(m, kind)]
        self.mask_body = nn.Sequential(*layers, nn.ConvTranspose2d(m, m, 2, 2, bias=False), Norm(m, kind))
        self.mask_logits = Output(m, s['classes'])
        self.anchors, self.counts = anchor_boxes(s['imageSize'], s['stride'], s['anchorScale'])

    def to(self, *args, **kwargs):
        self.anchors = self.anchors.to(*args)
        return super().to(*args, **kwargs)

    def features(self, images):
        x, maps, merged = self.stem(images), [], []
        if self.s['stride'] == 4:
            x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-math.inf), 3, 2)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        laterals = [lateral(x) for lateral, x in zip(self.laterals, maps)]
        for lateral in reversed(laterals):
            coarser = merged[0] if merged else None
            merged.insert(0, lateral if coarser is None else lateral + F.interpolate(coarser, scale_factor=2, mode='nearest'))
        levels = [out(x) for out, x in zip(self.outputs, merged)]
        return levels + [levels[-1][:, :, ::2, ::2]]

    def proposed(self, levels):
        """Objectness [batch, anchors] and deltas [batch, anchors, 4]."""
        n = levels[0].shape[0]
        rows = torch.cat([self.rpn_hidden(x).flatten(2) for x in levels], 2)[..., None]
        x = self.rpn_site(rows)
        ours = lambda y, size: y.permute(0, 2, 3, 1).reshape(n, -1, size)
        return ours(self.objectness(x), 1)[..., 0], ours(self.rpn_deltas(x), 4)

    @torch.no_grad()
    def proposals(self, objectness, deltas):
        """Of each image the boxes kept, best first."""
        s, result = self.s, []
        for scores, moves in zip(objectness, deltas):
            boxes, kept, level_of, start = [], [], [], 0
            for level, count in enumerate(self.counts):
                best, which = scores[start:start + count].topk(min(count, s['candidates']))
                which = which + start
                boxes.append(decode(self.anchors[which], moves[which]).clamp(0, s['imageSize']))
                kept.append(best)
                level_of += [level] * len(which)
                start += count
            boxes, kept = torch.cat(boxes), torch.cat(kept)
            apart = boxes + 2 * s['imageSize'] * torch.tensor(level_of, dtype=boxes.dtype)[:, None]
            result.append(boxes[self.suppress(apart, kept, 0.7, s['proposals'])])
        return result

    suppress = staticmethod(nms)

    def align(self, levels, regions, bins):
        """Features [regions of all images, channels, bins, bins]; `regions` [batch, n, 4]."""
        n, count = regions.shape[:2]
        sides = (regions[..., 2:] - regions[..., :2]).clamp(min=0)
        area = (sides[..., 0] * sides[..., 1]).clamp(min=1e-6)
        level = ((area.sqrt() / (14 * self.s['stride'])).log2() + 1e-6).floor().clamp(0, 3)
        places = (torch.arange(2 * bins, dtype=regions.dtype) + 0.5) / (2 * bins)
        result = 0
        for i in range(4):
            side = levels[i].shape[2]
            step = self.s['stride'] * 2**i
            y = (regions[..., 0:1] + places * sides[..., 0:1]) / (step * side) * 2 - 1
            x = (regions[..., 1:2] + places * sides[..., 1:2]) / (step * side) * 2 - 1
            grid = torch.stack([x[:, :, None].expand(n, count, 2 * bins, 2 * bins), y[..., None].expand(n, count, 2 * bins, 2 * bins)], -1)
            sampled = F.grid_sample(
                levels[i], grid.reshape(n, -1, 2 * bins, 2), padding_mode='border', align_corners=False
            )
            sampled = sampled.reshape(n, -1, count, 2 * bins, 2 * bins).transpose(1, 2)
            result = result + sampled * (level == i)[:, :, None, None, None]
        return F.avg_pool2d(result.flatten(0, 1), 2)

    def boxes(self, levels, regions):
        x = self.box_body(self.align(levels, regions, 7))
        return self.logits(x).flatten(1), self.box_deltas(x).reshape(-1, self.s['classes'], 4)

    def masks(self, levels, regions):
        return self.mask_logits(self.mask_body(self.align(levels, regions, 14)))

    @torch.no_grad()
    def draw(self, proposals, boxes, classes, chance):
        """Regions to train on as the engine draws them: the highest `chance` first. All with the batch in front."""
        s = self.s
        front = round(s['rois'] / 4)
        drawn = {'boxes': [], 'weights': [], 'classes': [], 'object': [], 'isObject': []}
        for found, own, kind, luck in zip(proposals, boxes, classes, chance):
            fill = s['proposals'] - len(found)
            real = (kind > 0).to(own.dtype)
            all_boxes = torch.cat([found, found.new_zeros(fill, 4), own])
            valid = torch.cat([own.new_ones(len(found)), own.new_zeros(fill), real])
            best, which = iou(all_boxes, own).max(1)
            is_object = (best >= 0.5).to(own.dtype) * valid
            pick = lambda among, count: [x[:count] for x in (among * (1 + luck)).sort(descending=True, stable=True)]
            (value, ahead), (other, behind) = pick(is_object, front), pick(valid - is_object, s['rois'])
            is_there = value > 0.5
            rest = s['rois'] - front
            # Places that objects leave over go to the background next in line, from the last place on.
            ahead = torch.where(is_there, ahead, behind[rest:].flip(0))
            counts = torch.cat([is_there | (other[rest:].flip(0) > 0.5), other[:rest] > 0.5])
            drawn['boxes'].append(all_boxes[torch.cat([ahead, behind[:rest]])])
            drawn['weights'].append(counts.to(own.dtype))
            drawn['classes'].append(torch.cat([torch.where(is_there, kind[which[ahead]], 0), torch.zeros_like(behind[:rest])]))
            drawn['object'].append(which[ahead])
            drawn['isObject'].append(is_there.to(own.dtype))
        return {key: torch.stack(value) for key, value in drawn.items()}

    def losses(self, batch):
        """Objectness, proposal boxes, classes, boxes, masks."""
        s = self.s
        levels = self.features(batch['images'])
        objectness, deltas = self.proposed(levels)
        drawn = self.draw(self.proposals(objectness, deltas), batch['boxes'], batch['classes'], batch['chance'])

        anchors, of = batch['anchors'], batch['anchorObject']
        is_object, counts = (of >= 0).to(deltas.dtype), (of >= -1).to(deltas.dtype)
        pick = lambda x, i: torch.stack([row[j] for row, j in zip(x, i)])
        wanted = encode(self.anchors[anchors], pick(batch['boxes'], of.clamp(min=0)))
        cross = F.binary_cross_entropy_with_logits(pick(objectness, anchors), is_object, reduction='none')
        apart = F.smooth_l1_loss(pick(deltas, anchors), wanted, reduction='none', beta=1 / 9).sum(2)
        total = counts.sum().clamp(min=1)
        losses = [(cross * counts).sum() / total, (apart * is_object).sum() / total]

        front = drawn['object'].shape[1]
        logits, moves = self.boxes(levels, drawn['boxes'])
        weights, labels = drawn['weights'].flatten(), drawn['classes'].flatten()
        total = weights.sum().clamp(min=1)
        losses.append((F.cross_entropy(logits, labels, reduction='none') * weights).sum() / total)
        regions, ahead = drawn['boxes'][:, :front], drawn['isObject'].flatten()
        kind = (drawn['classes'][:, :front].flatten() - 1).clamp(min=0)
        own = moves.reshape(*drawn['weights'].shape, s['classes'], 4)[:, :front].flatten(0, 1)
        own = own[torch.arange(len(kind)), kind]
        wanted = encode(regions, pick(batch['boxes'], drawn['object']), 10, 5).flatten(0, 1)
        losses.append((F.smooth_l1_loss(own, wanted, reduction='none').sum(1) * ahead).sum() / total)

        masks = self.masks(levels, regions)[torch.arange(len(kind)), kind]
        wanted = self.mask_targets(regions, pick(batch['boxes'], drawn['object']), pick(batch['masks'], drawn['object']))
        cross = F.binary_cross_entropy_with_logits(masks, wanted, reduction='none').mean((1, 2))
        losses.append((cross * ahead).sum() / ahead.sum().clamp(min=1))
        return torch.stack(losses)

    @torch.no_grad()
    def mask_targets(self, regions, boxes, masks):
        """`masks` [batch, n, 56, 56], each in its box, sampled in the regions at 28 x 28 points; 0 outside."""
        regions, boxes = regions.flatten(0, 1), boxes.flatten(0, 1)
        masks = masks.flatten(0, 1)[:, None]
        sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-3)
        places = (torch.arange(28, dtype=regions.dtype) + 0.5) / 28
        along = lambda i: (
            (regions[:, i, None] + places * (regions[:, i + 2] - regions[:, i])[:, None] - boxes[:, i, None]) / sides[:, i, None]
        )
        y, x = along(0), along(1)
        grid = torch.stack([x[:, None].expand(-1, 28, 28), y[..., None].expand(-1, 28, 28)], -1) * 2 - 1
        # TensorFlow's crop takes nothing beyond the outermost pixels' centres.
        inside = (grid.abs() <= 1 - 1 / 56 + 1e-9).all(-1)
        sampled = F.grid_sample(masks, grid, padding_mode='border', align_corners=False)[:, 0]
        return ((sampled >= 0.5) & inside).to(regions.dtype)

    @torch.no_grad()
    def detect(self, images):
        """Of each image: boxes, scores, classes (from 0 on) and masks [28, 28] of the detections, best first."""
        s, result = self.s, []
        levels = self.features(images)
        for n, boxes in enumerate(self.proposals(*self.proposed(levels))):
            maps = [x[n:n + 1] for x in levels]
            logits, moves = self.boxes(maps, boxes[None])
            scores = logits.softmax(1)[:, 1:]
            moved = decode(boxes[:, None], moves, 10, 5).clamp(0, s['imageSize'])
            found = []
            for kind in range(s['classes']):
                good = (scores[:, kind] > 0.05).nonzero()[:, 0]
                for i in good[self.suppress(moved[good, kind], scores[good, kind], 0.5, s['detections'])]:
                    found.append((scores[i, kind].item(), kind, moved[i, kind]))
            found = sorted(found, key=lambda f: -f[0])[:s['detections']]
            kinds = torch.tensor([kind for _, kind, _ in found], dtype=torch.long)
            best = torch.stack([box for _, _, box in found]) if found else boxes.new_zeros(0, 4)
            masks = best.new_zeros(0, 28, 28)
            if found:
                masks = self.masks(maps, best[None])[torch.arange(len(found)), kinds].sigmoid()
            result.append((best, torch.tensor([score for score, _, _ in found]), kinds, masks))
        return result
