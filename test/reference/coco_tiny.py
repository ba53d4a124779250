"""
Masks of the 160 images of COCO 2017 in ../shared/data/coco-tiny by pycocotools (2.0.11); writes coco_tiny.json beside
this file.

    python test/reference/coco_tiny.py ../shared/data/coco-tiny

The JSON, for each split: the counts of images and annotations, `crowds`, `pixels` (set in all masks together), a hash of
all masks' compressed run lengths in the order of annotations, and the mean of each channel of its first image by PIL.
"""
import json
import os
import sys

import numpy as np
import pycocotools.mask as mask_utils
from PIL import Image


def compressed(annotation, image):
    height, width, segment = image['height'], image['width'], annotation['segmentation']
    if isinstance(segment, list):
        return mask_utils.merge(mask_utils.frPyObjects(segment, height, width))
    return mask_utils.frPyObjects(segment, height, width) if isinstance(segment['counts'], list) else segment


def main(folder):
    result = {}
    for split in ('train2017', 'val2017'):
        with open(os.path.join(folder, 'annotations', f'instances_{split}.json')) as file:
            data = json.load(file)
        images = {image['id']: image for image in data['images']}
        hash_, pixels = 0x811C9DC5, 0
        for annotation in data['annotations']:
            mask = compressed(annotation, images[annotation['image_id']])
            pixels += int(mask_utils.area(mask))
            for byte in mask['counts']:
                hash_ = ((hash_ ^ byte) * 0x01000193) & 0xFFFFFFFF
        first = Image.open(os.path.join(folder, split, data['images'][0]['file_name'])).convert('RGB')
        result[split] = {
            'images': len(images), 'annotations': len(data['annotations']),
            'crowds': sum(a['iscrowd'] for a in data['annotations']), 'pixels': pixels, 'masks': f'{hash_:08x}',
            'mean': [round(v, 2) for v in np.asarray(first).reshape(-1, 3).mean(0).tolist()],
        }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'coco_tiny.json')
    with open(path, 'w') as file:
        json.dump(result, file, indent=2)
        file.write('\n')


main(sys.argv[1])
