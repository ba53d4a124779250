"""
PyTorch beside the engine's Mask R-CNN: the network of test/reference/mask_rcnn.py with fast layers (torch_peer.py),
plain padding, fused SGD, suppression by numpy and each region sampled on its own level alone. Answers one JSON request a line:

  {"do": "make", "layer": "BN-ReLU", "settings": {...}, "batch": folder}  -> {"seconds": to the first finished step}
  {"do": "step", "count": 5}                                              -> {"ms": [...]}
"""
import json
import os
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, '..', '..', 'reference')]
import mask_rcnn  # noqa: E402
import networks  # noqa: E402
import torch_peer  # noqa: E402

def same(size, source, target, stride=1):
    return nn.Conv2d(source, target, size, stride, size // 2, bias=False)


class Fast(mask_rcnn.MaskRcnn):
    @staticmethod
    def suppress(boxes, scores, overlap, most):
        """Only the overlaps that are needed, by numpy: its calls cost less than PyTorch's on so few boxes."""
        order = scores.argsort(descending=True)
        top, left, bottom, right = boxes[order].numpy().T
        area = (bottom - top) * (right - left)
        rest, kept = numpy.arange(len(area)), []
        while len(rest) and len(kept) < most:
            i, rest = rest[0], rest[1:]
            kept.append(i)
            height = numpy.minimum(bottom[i], bottom[rest]) - numpy.maximum(top[i], top[rest])
            width = numpy.minimum(right[i], right[rest]) - numpy.maximum(left[i], left[rest])
            both = height.clip(0) * width.clip(0)
            rest = rest[both <= overlap * (area[i] + area[rest] - both)]
        return order[kept]


    def align(self, levels, regions, bins):
        """Each region sampled on its own level alone."""
        n, count = regions.shape[:2]
        stride, samples = self.s['stride'], 2 * bins
        sides = (regions[..., 2:] - regions[..., :2]).clamp(min=0)
        area = (sides[..., 0] * sides[..., 1]).clamp(min=1e-6)
        level = ((area.sqrt() / (14 * stride)).log2() + 1e-6).floor().clamp(0, 3)
        places = (torch.arange(samples) + 0.5) / samples
        scale = 2 / (stride * levels[0].shape[2])
        y, x = ((regions[..., i, None] + places * sides[..., i, None]) * scale - 1 for i in (0, 1))
        parts, order = [], []
        for i in range(4):
            for image in range(n):
                own = (level[image] == i).nonzero()[:, 0]
                if not len(own):
                    continue
                shape = (len(own), samples, samples)
                grid = torch.stack([x[image, own][:, None].expand(shape), y[image, own][..., None].expand(shape)], -1)
                sampled = F.grid_sample(
                    levels[i][image : image + 1], grid.reshape(1, -1, samples, 2), padding_mode='border', align_corners=False
                )
                parts.append(F.avg_pool2d(sampled, 2).reshape(-1, len(own), bins, bins).transpose(0, 1))
                order.append(own + image * count)
        return torch.cat(parts)[torch.cat(order).argsort()].contiguous(memory_format=torch.channels_last)


def build(layer, settings):
    network, regions = settings['network'], settings['regions']
    make = lambda channels, kind: torch_peer.site(channels, {'layer': kind, 'groups': settings['groups']})
    networks.Norm = mask_rcnn.Norm = make
    networks.Same = mask_rcnn.Same = same
    net = Fast(
        {
            **regions, 'imageSize': settings['imageSize'], 'classes': settings['classes'], 'width': network['width'],
            'depth': network['depth'], 'stride': network['stride'], 'pyramid': network['pyramidChannels'],
            'box': network['boxChannels'], 'mask': network['maskChannels'],
        },
        layer,
    )
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            small = module.bias is not None
            nn.init.normal_(module.weight, std=0.01) if small else nn.init.kaiming_normal_(module.weight)
            if small:
                nn.init.zeros_(module.bias)
    return net.to(torch.float32).to(memory_format=torch.channels_last)


def read_batch(folder, settings):
    n, side, regions = settings['batchSize'], settings['imageSize'], settings['regions']
    read = lambda name, kind: torch.from_numpy(numpy.fromfile(os.path.join(folder, name), kind))
    whole = lambda name: read(name, 'int32').long().reshape(n, -1)
    images = read('images', 'float32').reshape(n, side, side, 3).permute(0, 3, 1, 2)
    return {
        'images': images.contiguous(memory_format=torch.channels_last),
        'anchors': whole('anchors'), 'anchorObject': whole('anchorObject'), 'classes': whole('classes'),
        'boxes': read('boxes', 'float32').reshape(n, -1, 4),
        'masks': read('masks', 'float32').reshape(n, regions['objects'], 56, 56),
        'chance': read('chance', 'float32').reshape(n, -1),
    }


def main():
    torch.manual_seed(1)
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '1')))
    net = optimizer = batch = None

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = net.losses(batch).sum()
        loss.backward()
        optimizer.step()
        return loss.item()

    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        if request['do'] == 'make':
            net = build(request['layer'], request['settings'])
            batch = read_batch(request['batch'], request['settings'])
            optimizer = torch.optim.SGD(net.parameters(), 0.001, 0.9, nesterov=True, weight_decay=1e-4, fused=True)
            step()
            answer = {'seconds': time.perf_counter() - started}
        else:
            times = []
            for _ in range(request['count']):
                begun = time.perf_counter()
                step()
                times.append(1000 * (time.perf_counter() - begun))
            answer = {'ms': times}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
