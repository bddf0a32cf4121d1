"""Values passed around: boxes, masks, detections, shopping lists; numpy and pycocotools only."""

from rpc.structures.boxes import (
    box_areas,
    box_iou,
    clip_boxes,
    order_corners,
    xywh_to_xyxy,
    xyxy_to_xywh,
)
from rpc.structures.detections import Detections
from rpc.structures.masks import decode_rle, encode_rle, mask_to_box
from rpc.structures.shopping_list import ShoppingList

__all__ = [
    "Detections",
    "ShoppingList",
    "box_areas",
    "box_iou",
    "clip_boxes",
    "decode_rle",
    "encode_rle",
    "mask_to_box",
    "order_corners",
    "xywh_to_xyxy",
    "xyxy_to_xywh",
]
