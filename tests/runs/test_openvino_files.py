"""A network keeps its arithmetic in OpenVINO, and most of it, not its last layer, becomes int8."""

import numpy as np
import torch
from torch import nn

from rpc.inference.openvino_network import OpenvinoNetwork
from rpc.runs.onnx_files import onnx_bytes
from rpc.runs.openvino_files import int8_bytes, openvino_bytes

INPUTS = {"pictures": "tensor(uint8)"}


class Tiny(nn.Module):
    """Two layers that share a body's weights, a limit, and a last layer."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.shared = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.first, self.last = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(8) for _ in range(2))
        for number, norm in enumerate(self.norms):
            nn.init.constant_(norm.bias, 0.5)
            nn.init.constant_(norm.weight, 2.0 + number)
        self.half()
        self.float()

    def forward(self, pictures):
        maps = self.first(pictures.permute(0, 3, 1, 2).float() / 255)
        for norm in self.norms:
            maps = nn.functional.relu6(norm(self.shared(maps)))
        return self.last(maps)


def calls(number):
    rng = np.random.default_rng(0)
    return [{"pictures": rng.integers(0, 256, (1, 20, 20, 3), np.uint8)} for _ in range(number)]


def test_float_stays_float_and_int8_stays_near_with_its_last_layer_in_float():
    tiny = Tiny().eval()
    pictures = torch.zeros((2, 20, 20, 3), dtype=torch.uint8)
    content = onnx_bytes(tiny, {"pictures": pictures}, ["maps"])
    (given,) = calls(1)
    with torch.inference_mode():
        expected = tiny(torch.from_numpy(given["pictures"])).numpy()

    def answer(graph, weights):
        network = OpenvinoNetwork(graph, weights, "tiny.xml", INPUTS, ["maps"])
        return network(given["pictures"])[0]

    np.testing.assert_allclose(answer(*openvino_bytes(content)), expected, atol=1e-5)
    seen = []
    graph, weights = int8_bytes(content, calls(12), lambda done, total: seen.append((done, total)))
    found = answer(graph, weights)
    spread = expected.std()
    assert 1e-6 < np.abs(found - expected).max() < 0.2 * spread
    assert seen[:12] == [(number, 12) for number in range(1, 13)]
    assert b'element_type="i8"' in graph
    # Three layers of 3 x 3 in int8, each with its own weights: the last one's are in float.
    assert graph.count(b'element_type="i8"') == 3
