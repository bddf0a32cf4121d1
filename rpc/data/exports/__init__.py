"""Exports of annotation tools, turned into stores: COCO in all its layouts, CVAT, YOLO, VOC, ...

`recognise` tells an export by its files, a reader for each layout gives `LabelledPhoto`s, `plan`
looks at the photos and decides what becomes an exemplar and what a tray, `write_store` copies.
Whatever is left out, or taken otherwise than it was written, is told by kind.
"""
