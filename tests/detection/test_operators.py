"""Each operator, through mmcv's own functions, against a plain loop."""

import itertools
import math

import mmcv.ops
import numpy as np
import pytest
import torch
from mmcv.ops.deform_conv import deform_conv2d
from mmcv.ops.modulated_deform_conv import modulated_deform_conv2d

from rpc.detection.operators import OPERATORS, extension_module

BOXES = torch.tensor(
    [
        [0.0, 0, 10, 10],
        [1, 1, 11, 11],
        [0, 0, 10, 10],  # identical to the first
        [30, 30, 40, 45],
        [-20, -20, -5, -5],  # outside the image
        [31, 29, 41, 44],
        [5, 5, 5, 5],  # empty
    ]
)
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.95, 0.3, 0.6, 0.5])


def naive_iou(a, b, offset=0):
    width = min(a[2], b[2]) - max(a[0], b[0]) + offset
    height = min(a[3], b[3]) - max(a[1], b[1]) + offset
    inter = max(width, 0) * max(height, 0)
    areas = [(c[2] - c[0] + offset) * (c[3] - c[1] + offset) for c in (a, b)]
    union = sum(areas) - inter
    return inter / union if union > 0 else 0.0


def naive_nms(boxes, scores, threshold, offset=0):
    order = sorted(range(len(boxes)), key=lambda i: -scores[i])
    kept = []
    for i in order:
        if all(naive_iou(boxes[i], boxes[j], offset) <= threshold for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.7])
def test_nms_keeps_what_a_plain_loop_keeps(threshold, offset):
    rng = np.random.default_rng(3)
    corners = rng.integers(0, 30, (60, 2))
    boxes = np.concatenate([corners, corners + rng.integers(1, 20, (60, 2))], 1).astype("float32")
    scores = rng.permutation(60).astype("float32") / 60
    for b, s in ((boxes, scores), (BOXES.numpy(), SCORES.numpy())):
        dets, kept = mmcv.ops.nms(b, s, threshold, offset=offset)
        assert kept.tolist() == naive_nms(b.tolist(), s.tolist(), threshold, offset)
        assert np.array_equal(dets[:, :4], b[kept])
        assert np.array_equal(dets[:, 4], s[kept])


def test_suppression_of_nothing_gives_nothing():
    none = torch.zeros(0, 4)
    assert mmcv.ops.nms(none, torch.zeros(0), 0.5)[1].shape == (0,)
    assert mmcv.ops.soft_nms(none, torch.zeros(0))[1].shape == (0,)
    assert mmcv.ops.nms_match(torch.zeros(0, 5), 0.5) == []


def test_half_precision_boxes_are_suppressed_alike():
    full = mmcv.ops.nms(BOXES, SCORES, 0.5)[1]
    assert torch.equal(mmcv.ops.nms(BOXES.half(), SCORES.half(), 0.5)[1], full)


def test_batched_nms_never_compares_boxes_of_two_classes():
    labels = torch.tensor([0, 1, 1, 0, 0, 0, 2])
    _, kept = mmcv.ops.batched_nms(BOXES, SCORES, labels, {"type": "nms", "iou_threshold": 0.5})
    expected = []
    for label in (0, 1, 2):
        rows = torch.nonzero(labels == label)[:, 0].tolist()
        part = naive_nms(BOXES[rows].tolist(), SCORES[rows].tolist(), 0.5)
        expected += [rows[i] for i in part]
    assert sorted(kept.tolist()) == sorted(expected)
    assert torch.equal(SCORES[kept], SCORES[kept].sort(descending=True).values)


@pytest.mark.parametrize("method", ["naive", "linear", "gaussian"])
def test_soft_nms_decays_scores_like_a_plain_loop(method):
    threshold, sigma, lowest = 0.3, 0.5, 0.05
    dets, kept = mmcv.ops.soft_nms(BOXES, SCORES, threshold, sigma, lowest, method)
    boxes, scores = BOXES.tolist(), dict(enumerate(SCORES.tolist()))
    expected = []
    while scores:
        best = max(scores, key=scores.get)
        expected.append((best, scores.pop(best)))
        for i in list(scores):
            overlap = naive_iou(boxes[best], boxes[i])
            if method == "gaussian":
                scores[i] *= math.exp(-overlap * overlap / sigma)
            elif overlap >= threshold:
                scores[i] *= (1 - overlap) if method == "linear" else 0
            if scores[i] < lowest:
                del scores[i]
    assert kept.tolist() == [i for i, _ in expected]
    assert torch.allclose(dets[:, 4], torch.tensor([s for _, s in expected]), atol=1e-6)
    assert torch.equal(dets[:, :4], BOXES[kept])


def test_nms_match_groups_each_kept_box_with_those_it_suppressed():
    groups = mmcv.ops.nms_match(torch.cat([BOXES, SCORES[:, None]], 1), 0.5)
    assert [g.tolist() for g in groups] == [[3, 5], [0, 1, 2], [6], [4]]


# --- regions ---------------------------------------------------------------------------------

ROIS = torch.tensor(
    [
        [0.0, 1, 1, 9, 7],
        [1, 0, 0, 12, 10],
        [1, 4, 4, 4, 4],  # empty
        [0, -5, -4, 3, 3],  # partly outside
        [0, 40, 40, 60, 60],  # outside
    ],
    dtype=torch.float64,
)


def bilinear(plane, y, x):
    """Value of a plane (H, W) at a point; RoIAlign's rule at the border."""
    rows, columns = plane.shape
    if y < -1 or y > rows or x < -1 or x > columns:
        return 0.0
    y, x = max(y, 0), max(x, 0)
    y0, x0 = min(int(y), rows - 1), min(int(x), columns - 1)
    y1, x1 = min(y0 + 1, rows - 1), min(x0 + 1, columns - 1)
    fy = y - y0 if y0 < rows - 1 else 0
    fx = x - x0 if x0 < columns - 1 else 0
    top = plane[y0, x0] * (1 - fx) + plane[y0, x1] * fx
    bottom = plane[y1, x0] * (1 - fx) + plane[y1, x1] * fx
    return top * (1 - fy) + bottom * fy


def naive_roi_align(image, rois, size, scale, samples, aligned):
    out = np.zeros((len(rois), image.shape[1], size, size))
    for n, (batch, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (v * scale - (0.5 if aligned else 0) for v in box)
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1), max(height, 1)
        for c, i, j in itertools.product(range(image.shape[1]), range(size), range(size)):
            values = [
                bilinear(
                    image[int(batch), c].numpy(),
                    y1 + height / size * (i + (a + 0.5) / samples),
                    x1 + width / size * (j + (b + 0.5) / samples),
                )
                for a in range(samples)
                for b in range(samples)
            ]
            out[n, c, i, j] = sum(values) / len(values)
    return torch.from_numpy(out)


@pytest.fixture
def image():
    return torch.rand(2, 2, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("aligned", [True, False])
def test_roi_align_agrees_with_a_plain_loop(image, aligned):
    ours = mmcv.ops.roi_align(image, ROIS, 3, 0.5, 2, "avg", aligned)
    assert torch.allclose(ours, naive_roi_align(image, ROIS, 3, 0.5, 2, aligned))


def test_roi_align_has_the_gradient_of_its_values(image):
    image.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: mmcv.ops.roi_align(x, ROIS, 3, 0.5, 2, "avg", True), image
    )


def test_roi_align_of_no_region_is_empty_and_has_a_zero_gradient(image):
    image.requires_grad_()
    pooled = mmcv.ops.roi_align(image, ROIS[:0], 3)
    pooled.sum().backward()
    assert pooled.shape == (0, 2, 3, 3)
    assert not image.grad.any()


def test_roi_align_of_half_precision_keeps_its_type(image):
    pooled = mmcv.ops.roi_align(image.bfloat16(), ROIS.bfloat16(), 3, 0.5, 2)
    assert pooled.dtype == torch.bfloat16
    assert torch.allclose(pooled.double(), mmcv.ops.roi_align(image, ROIS, 3, 0.5, 2), atol=0.02)


def test_roi_align_by_maximum_is_refused_by_name(image):
    with pytest.raises(NotImplementedError, match="pool_mode='max'"):
        mmcv.ops.roi_align(image, ROIS, 3, 0.5, 2, "max", True)


def naive_roi_pool(image, rois, size, scale):
    def nearest(value):
        return math.floor(value * scale + 0.5) if value >= 0 else -math.floor(-value * scale + 0.5)

    rows, columns = image.shape[2:]
    out = torch.zeros(len(rois), image.shape[1], size, size, dtype=image.dtype)
    for n, (batch, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (nearest(v) for v in box)
        width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
        for i, j in itertools.product(range(size), range(size)):
            top, bottom = math.floor(i * height / size), math.ceil((i + 1) * height / size)
            left, right = math.floor(j * width / size), math.ceil((j + 1) * width / size)
            top, bottom = (min(max(v + y1, 0), rows) for v in (top, bottom))
            left, right = (min(max(v + x1, 0), columns) for v in (left, right))
            if bottom > top and right > left:
                part = image[int(batch), :, top:bottom, left:right]
                out[n, :, i, j] = part.amax(dim=(1, 2))
    return out


def test_roi_pool_agrees_with_a_plain_loop(image):
    assert torch.equal(mmcv.ops.roi_pool(image, ROIS, 3, 0.5), naive_roi_pool(image, ROIS, 3, 0.5))


def test_roi_pool_has_the_gradient_of_its_values(image):
    image.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: mmcv.ops.roi_pool(x, ROIS, 3, 0.5), image)


# --- deformable convolution ------------------------------------------------------------------


def naive_deform(image, offset, mask, weight, bias, stride, padding, dilation):
    """One group of channels, one group of offsets; offsets come as (y, x) pairs."""
    batch, channels, rows, columns = image.shape
    out_channels, _, kernel_h, kernel_w = weight.shape
    out_h, out_w = offset.shape[2:]
    out = torch.zeros(batch, out_channels, out_h, out_w, dtype=image.dtype)
    for b, i, j in itertools.product(range(batch), range(out_h), range(out_w)):
        for k, (u, v) in enumerate(itertools.product(range(kernel_h), range(kernel_w))):
            y = i * stride - padding + u * dilation + offset[b, 2 * k, i, j].item()
            x = j * stride - padding + v * dilation + offset[b, 2 * k + 1, i, j].item()
            y0, x0 = math.floor(y), math.floor(x)
            for c in range(channels):
                value = 0.0
                for a, d in itertools.product((0, 1), (0, 1)):
                    if 0 <= y0 + a < rows and 0 <= x0 + d < columns:
                        share = (1 - abs(y - y0 - a)) * (1 - abs(x - x0 - d))
                        value += image[b, c, y0 + a, x0 + d].item() * share
                value *= 1 if mask is None else mask[b, k, i, j].item()
                out[b, :, i, j] += weight[:, c, u, v] * value
    return out if bias is None else out + bias[None, :, None, None]


@pytest.fixture
def deform_inputs():
    def random(*shape):
        return torch.rand(*shape, dtype=torch.float64, generator=generator)

    generator = torch.Generator().manual_seed(5)
    return {
        "image": random(2, 2, 5, 6),
        # off the whole numbers, where bilinear interpolation has a kink and no derivative
        "offset": random(2, 18, 3, 3) * 2.8 - 1.4 + 1e-3,
        "mask": random(2, 9, 3, 3),
        "weight": random(3, 2, 3, 3) - 0.5,
        "bias": random(3),
    }


def test_deformable_convolution_agrees_with_a_plain_loop(deform_inputs):
    x, offset, _, weight, _ = deform_inputs.values()
    ours = deform_conv2d(x, offset, weight, 2, 1, 1)
    assert torch.allclose(ours, naive_deform(x, offset, None, weight, None, 2, 1, 1))


def test_deformable_convolution_has_the_gradients_of_its_values(deform_inputs):
    x, offset, _, weight, _ = (t.requires_grad_() for t in deform_inputs.values())
    assert torch.autograd.gradcheck(
        lambda *tensors: deform_conv2d(*tensors, 2, 1, 1), (x, offset, weight)
    )


def test_modulated_deformable_convolution_agrees_with_a_plain_loop(deform_inputs):
    x, offset, mask, weight, bias = deform_inputs.values()
    for b in (bias, None):
        ours = modulated_deform_conv2d(x, offset, mask, weight, b, 2, 1, 1)
        assert torch.allclose(ours, naive_deform(x, offset, mask, weight, b, 2, 1, 1))


def test_modulated_deformable_convolution_has_the_gradients_of_its_values(deform_inputs):
    tensors = tuple(t.requires_grad_() for t in deform_inputs.values())
    assert torch.autograd.gradcheck(lambda *t: modulated_deform_conv2d(*t, 2, 1, 1), tensors)


def test_without_offsets_a_deformable_convolution_is_a_convolution_in_groups():
    x, weight = torch.rand(1, 4, 6, 6), torch.rand(4, 2, 3, 3)
    ours = deform_conv2d(x, torch.zeros(1, 36, 6, 6), weight, 1, 1, 1, 2, 2)
    assert torch.allclose(ours, torch.conv2d(x, weight, padding=1, groups=2), atol=1e-5)


# --- focal losses ----------------------------------------------------------------------------

LOGITS = torch.tensor(
    [[0.2, -1.0, 3.0], [8.0, -8.0, 0.0], [0.5, 0.5, 0.5], [-2.0, 1.0, 0.3]], dtype=torch.float64
)
ALPHA, GAMMA = 0.25, 2.0


def naive_sigmoid_focal(logits, target, weight):
    out = torch.zeros_like(logits)
    for n, c in itertools.product(range(logits.shape[0]), range(logits.shape[1])):
        p = 1 / (1 + math.exp(-logits[n, c].item()))
        t = int(target[n])
        if t == c:
            loss = -ALPHA * (1 - p) ** GAMMA * math.log(p)
        else:
            loss = -(1 - ALPHA) * p**GAMMA * math.log(1 - p) if t >= 0 else 0.0
        out[n, c] = loss * (weight[t].item() if weight is not None and 0 <= t < 3 else 1)
    return out


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)])
def test_sigmoid_focal_loss_agrees_with_a_plain_loop(weight):
    target = torch.tensor([2, 1, 3, -1])  # 3: background; -1: ignored
    ours = mmcv.ops.sigmoid_focal_loss(LOGITS, target, GAMMA, ALPHA, weight, "none")
    assert torch.allclose(ours, naive_sigmoid_focal(LOGITS, target, weight))


def test_sigmoid_focal_loss_has_the_gradient_of_its_values():
    logits, target = LOGITS.clone().requires_grad_(), torch.tensor([2, 1, 3, 0])
    for reduction in ("none", "mean", "sum"):
        assert torch.autograd.gradcheck(
            lambda x, r=reduction: mmcv.ops.sigmoid_focal_loss(x, target, GAMMA, ALPHA, None, r),
            logits,
        )


def test_softmax_focal_loss_agrees_with_a_plain_loop_and_has_its_gradient():
    target = torch.tensor([2, 1, 0, 1])
    ours = mmcv.ops.softmax_focal_loss(LOGITS.clone(), target, GAMMA, ALPHA, None, "none")
    for n in range(4):
        exps = [math.exp(v) for v in LOGITS[n].tolist()]
        p = exps[int(target[n])] / sum(exps)
        assert ours[n].item() == pytest.approx(-ALPHA * (1 - p) ** GAMMA * math.log(p))
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: mmcv.ops.softmax_focal_loss(x, target, GAMMA, ALPHA, None, "sum"), logits
    )


def test_losses_of_no_row_are_empty():
    none, target = torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)
    assert mmcv.ops.sigmoid_focal_loss(none, target, 2.0, 0.25, None, "none").shape == (0, 3)
    assert mmcv.ops.softmax_focal_loss(none, target, 2.0, 0.25, None, "none").shape == (0,)


# --- the module ------------------------------------------------------------------------------


def test_an_operator_that_is_not_backed_says_its_name_when_called():
    module = extension_module()
    with pytest.raises(NotImplementedError, match="'carafe_forward' needs mmcv's compiled"):
        module.carafe_forward(1)
    assert "nms" in OPERATORS
    with pytest.raises(AttributeError):
        _ = module.__path__
