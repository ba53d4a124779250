"""
Masks of polygons that leave their image, wholly or partly, near or very far, by pycocotools (2.0.11); writes
coco_clip.json beside this file.

    python test/reference/coco_clip.py

The JSON is a list of cases: `size` [height, width], the `polygon`, the mask's compressed run lengths `counts`, its `area`
and its `box` (mask.toBbox).
"""
import json
import os
import random

import pycocotools.mask as mask_utils

random.seed(12)

FIXED = [
    # A box beyond the right edge, one beyond the left edge by a part, one around the whole image.
    ((64, 80), [100, 10, 124, 10, 124, 40, 100, 40]),
    ((64, 80), [-20, 10, 32, 10, 32, 40, -20, 40]),
    ((64, 80), [-5, -5, 200, -5, 200, 100, -5, 100]),
    ((64, 80), [-1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6]),
    ((64, 80), [10, 10, 1e6, 20, 10, 30]),
    ((64, 80), [10, 10, 30, -1e6, 20, 30]),
    ((64, 80), [1e6, 5, 5, 1e6, 5, 5]),
    # Slivers without a pixel, and points on the edges.
    ((64, 80), [10, 10, 10.1, 10, 10.1, 10.1]),
    ((64, 80), [0, 0, 80, 0, 80, 64, 0, 64]),
    ((64, 80), [79.9, 0, 81, 0, 81, 64, 79.9, 64]),
]


def polygon(height, width, reach):
    return [
        round(random.uniform(-reach, (width if i % 2 == 0 else height) + reach), 2)
        for i in range(2 * random.randint(3, 8))
    ]


def cases():
    yield from FIXED
    for reach in (0, 5, 50, 500, 20_000, 300_000):
        for _ in range(12):
            size = (random.randint(1, 90), random.randint(1, 90))
            yield size, polygon(*size, reach)


def main():
    result = []
    for (height, width), points in cases():
        mask = mask_utils.frPyObjects([points], height, width)[0]
        result.append({
            'size': [height, width], 'polygon': points, 'counts': mask['counts'].decode(),
            'area': int(mask_utils.area(mask)), 'box': mask_utils.toBbox(mask).tolist(),
        })
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'coco_clip.json')
    with open(path, 'w') as file:
        file.write('[\n' + ',\n'.join(json.dumps(case) for case in result) + '\n]\n')


main()
