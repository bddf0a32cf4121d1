"""Non-maximum suppression: plain, soft, and with groups.

Key: N boxes, M of them kept.
"""

import torch
from torch import Tensor
from torchvision import ops

from rpc.detection.operators.precision import at_least_float32

_NAIVE, _LINEAR, _GAUSSIAN = 0, 1, 2


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Indices (M,) of the boxes (N, 4) kept, best score first.

    `offset` 1 means that x2 and y2 are the last pixels inside the box.
    """
    boxes = at_least_float32(boxes)
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    kept: Tensor = ops.nms(boxes, at_least_float32(scores), iou_threshold)
    return kept


def _iou_with(box: Tensor, others: Tensor, offset: int = 0) -> Tensor:
    """IoU (N,) of one box (4,) with others (N, 4); 0 where both have no area."""
    sides = (torch.minimum(box[2:], others[:, 2:]) - torch.maximum(box[:2], others[:, :2])) + offset
    inter = sides.clamp(min=0).prod(dim=1)
    area = (box[2:] - box[:2] + offset).prod()
    union = area + (others[:, 2:] - others[:, :2] + offset).prod(dim=1) - inter
    return torch.where(union > 0, inter / union.clamp(min=torch.finfo(union.dtype).tiny), 0)


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft suppression (Bodla et al. 2017): scores of overlapping boxes decay.

    Args:
        boxes: (N, 4).
        scores: (N,).
        dets: (N, 5), filled with the kept boxes and their new scores, in the order of choice.
        iou_threshold: for methods 0 and 1, the overlap from which a score decays.
        sigma: width of the decay of method 2.
        min_score: a box whose score falls below it is dropped (the first is always kept).
        method: 0 the score becomes 0, 1 it is multiplied by 1 - IoU, 2 by exp(-IoU^2 / sigma).
        offset: 1 where x2 and y2 are the last pixels inside the box.

    Returns:
        The indices (M,) of the boxes kept, M <= N; rows of `dets` beyond M are left as they were.
    """
    boxes, scores = at_least_float32(boxes), at_least_float32(scores).clone()
    index = torch.arange(len(boxes))
    kept: list[Tensor] = []
    while len(index):
        best = int(scores[index].argmax())
        chosen = index[best]
        dets[len(kept), :4] = boxes[chosen]
        dets[len(kept), 4] = scores[chosen]
        kept.append(chosen)
        index = torch.cat([index[:best], index[best + 1 :]])
        overlap = _iou_with(boxes[chosen], boxes[index], offset)
        scores[index] *= _decay(overlap, iou_threshold, sigma, method)
        index = index[scores[index] >= min_score]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.long)


def _decay(overlap: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    if method == _GAUSSIAN:
        return torch.exp(-overlap.square() / sigma)
    rest = 1 - overlap if method == _LINEAR else torch.zeros_like(overlap)
    return torch.where(overlap >= iou_threshold, rest, 1)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Groups of indices: each kept box of `dets` (N, 5) first, then those that it suppresses."""
    boxes, scores = at_least_float32(dets[:, :4]), dets[:, 4]
    left = scores.argsort(descending=True, stable=True)
    groups = []
    while len(left):
        chosen, others = left[0], left[1:]
        taken = _iou_with(boxes[chosen], boxes[others]) >= iou_threshold
        groups.append([int(chosen), *others[taken].tolist()])
        left = others[~taken]
    return groups
