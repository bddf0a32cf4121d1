"""mmdet on a current torch: models run, nothing unsafe is allowed, a group forms without a GPU."""

import sys
import warnings

import pytest
import torch
from mmengine.dist import utils as dist_utils

from rpc.detection import runtime


def test_setting_up_again_changes_nothing():
    before, filters = sys.modules["mmcv._ext"], len(warnings.filters)
    runtime.setup()
    assert sys.modules["mmcv._ext"] is before
    assert len(warnings.filters) == filters


def test_torch_load_allows_nothing_of_ours_and_nothing_that_reaches_further():
    allowed = torch.serialization.get_safe_globals()
    assert getattr not in allowed
    modules = {getattr(item, "__module__", "").partition(".")[0] for item in allowed}
    assert not modules & {"rpc", "mmengine", "mmcv", "mmdet", "numpy", "os", "posix"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_without_a_gpu_a_distributed_run_joins_over_gloo(monkeypatch):
    joined = {}
    monkeypatch.setattr(
        dist_utils.torch_dist, "init_process_group", lambda **kwargs: joined.update(kwargs)
    )
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    dist_utils._init_dist_pytorch("nccl")
    assert joined["backend"] == "gloo"
