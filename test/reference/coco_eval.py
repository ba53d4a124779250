"""
COCO evaluation of 100 random cases by pycocotools (2.0.11); writes coco_eval.json beside this file.

    python test/reference/coco_eval.py

A case is made from its number alone, here and in test/engine/metrics/coco-cases.ts by the same integer arithmetic, so
that only results are kept: several images and categories, objects of one or two polygons (which may cross themselves
and leave the image), crowds, detections that are objects moved about, false ones, equal scores, up to some 150 an image.

The JSON is a list of cases: `masks`, a hash of every mask's compressed run lengths (objects, then detections), and `box`
and `mask`, the twelve numbers of COCOeval.summarize (-1: none), rounded to 9 digits.
"""
import contextlib
import io
import json
import os

import numpy as np
import pycocotools.mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


class Random:
    """mulberry32."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        t = self.state
        t = ((t ^ (t >> 15)) * (t | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return ((t ^ (t >> 14)) * n) >> 32


def polygon(r, height, width):
    """Vertices in tenths of a pixel about a centre inside the image."""
    x, y, radius = r.below(10 * width), r.below(10 * height), 10 * (2 + r.below(1 + r.below(240)))
    return [(x if i % 2 == 0 else y) + r.below(2 * radius + 1) - radius for i in range(2 * (3 + r.below(5)))]


def box_of(polygons):
    xs, ys = [v for p in polygons for v in p[::2]], [v for p in polygons for v in p[1::2]]
    return [min(xs) / 10, min(ys) / 10, (max(xs) - min(xs)) / 10, (max(ys) - min(ys)) / 10]


def moved(r, polygons, by):
    return [[v + r.below(2 * by + 1) - by for v in p] for p in polygons]


def make(number):
    r = Random(number)
    height, width = 60 + r.below(260), 60 + r.below(260)
    categories, images = 1 + r.below(4), 1 + r.below(6)
    truths, detections = [], []
    for image in range(1, images + 1):
        for _ in range(r.below(8)):
            shape = [polygon(r, height, width) for _ in range(1 + r.below(2))]
            category, crowd, halved = 1 + r.below(categories), r.below(8) == 0, r.below(10) == 0
            truths.append((image, category, shape, crowd, halved))
            for _ in range(r.below(4)):
                other = 1 + r.below(categories) if r.below(8) == 0 else category
                detections.append((image, other, moved(r, shape, r.below(60)), r.below(100)))
        for _ in range(r.below(5) + (120 if r.below(40) == 0 else 0)):
            detections.append((image, 1 + r.below(categories), [polygon(r, height, width)], r.below(100)))
    if not detections:
        detections.append((1, 1, [polygon(r, height, width)], 50))
    return height, width, categories, images, truths, detections


def fnv(hash_, text):
    for character in text:
        hash_ = ((hash_ ^ ord(character)) * 0x01000193) & 0xFFFFFFFF
    return hash_


def evaluate(number):
    height, width, categories, images, truths, detections = make(number)

    def rle(polygons):
        return mask_utils.merge(mask_utils.frPyObjects([[v / 10 for v in p] for p in polygons], height, width))

    masks = [rle(t[2]) for t in truths] + [rle(d[2]) for d in detections]
    hash_ = 0x811C9DC5
    for mask in masks:
        hash_ = fnv(hash_, mask['counts'].decode())
    annotations = [
        {
            'id': i + 1, 'image_id': image, 'category_id': category, 'iscrowd': int(crowd), 'bbox': box_of(shape),
            'segmentation': masks[i], 'area': float(mask_utils.area(masks[i])) * (0.5 if halved else 1),
        }
        for i, (image, category, shape, crowd, halved) in enumerate(truths)
    ]
    truth = COCO()
    truth.dataset = {
        'images': [{'id': i, 'height': height, 'width': width} for i in range(1, images + 1)],
        'categories': [{'id': c, 'name': str(c)} for c in range(1, categories + 1)],
        'annotations': annotations,
    }
    truth.createIndex()
    result = {'masks': f'{hash_:08x}'}
    for kind, name in (('bbox', 'box'), ('segm', 'mask')):
        found = truth.loadRes([
            {
                'image_id': image, 'category_id': category, 'score': score / 100,
                **({'bbox': box_of(shape)} if kind == 'bbox' else {'segmentation': masks[len(truths) + i]}),
            }
            for i, (image, category, shape, score) in enumerate(detections)
        ])
        evaluation = COCOeval(truth, found, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        result[name] = [float(f'{v:.9g}') for v in evaluation.stats]
    return result


def main():
    with contextlib.redirect_stdout(io.StringIO()):
        results = [evaluate(number) for number in range(1, 101)]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'coco_eval.json')
    with open(path, 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(r, separators=(',', ':')) for r in results) + '\n]\n')
    known = np.array([r['mask'] for r in results])
    print(os.path.getsize(path), 'bytes; mask AP', known[:, 0].min(), known[:, 0].max(), 'none:', (known == -1).mean(0))


main()
