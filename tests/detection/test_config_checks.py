"""A training's config is values only; what nobody knows or could use is told before the work."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from rpc.data import DataError
from rpc.detection.config import build_config, read_config
from rpc.detection.train import train
from rpc.runs.config_files import read_config_file
from tests.detection.drawn_store import TINY
from tests.runs.mutations import PLANTED, changed, nothing_foreign, random_place, values

LEAVES = sorted(Path("configs").glob("*.py"))
RTMDET = "configs/rtmdet_tiny_rpc.py"


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_our_configs_are_read_as_mmengine_would_run_them(path):
    assert read_config(path).to_dict() == Config.fromfile(path).to_dict()


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("train_dataloader.batch_szie", 4, "'batch_szie'; did you mean 'batch_size'"),
        ("optim_wrapper.optimizer.lr_", 0.1, "did you mean 'lr'"),
        ("image_sice", 320, "did you mean 'image_size'"),
        ("model.backbone.widen_facto", 0.2, "did you mean 'widen_factor'"),
        ("model.test_cfg.max_per_image", 9, "did you mean 'max_per_img'"),
        ("model.bakbone.depth", 9, "did you mean 'backbone'"),
        ("schedule.warm_up", 0.1, "did you mean 'warmup'"),
        ("train_cfg.max_minute", 1, "did you mean 'max_minutes'"),
        ("ema.momentun", 0.1, "did you mean 'momentum'"),
        ("train_pipeline.9.type", "Resize", "train_pipeline has no item 9"),
        ("model.backbone.depth.x", 3, "unknown setting 'depth'"),
        ("train_dataloader.batch_size", 0, "batch_size: expected a whole number from 1"),
        ("train_dataloader.batch_size", 2.5, "batch_size: expected a whole number"),
        ("train_dataloader.batch_size", "many", "batch_size: expected a whole number"),
        ("train_dataloader.batch_size", [4], None),
        ("train_dataloader.num_workers", -1, "num_workers: expected a whole number from 0"),
        ("optim_wrapper.optimizer.lr", float("nan"), "lr: expected a number"),
        ("optim_wrapper.optimizer.lr", float("inf"), "lr: expected a number"),
        ("optim_wrapper.optimizer.lr", -1, "lr: expected a number from"),
        ("optim_wrapper.optimizer.lr", 10**400, "a number of more than 18 digits"),
        ("train_cfg.max_minutes", 1e308, "max_minutes: expected a number from"),
        ("image_size", True, "image_size: expected a whole number"),
        ("model", None, "model: expected a dict of settings"),
        ("train_dataloader", 3, "train_dataloader: expected a dict of settings"),
        ("model.test_cfg.max_per_img", None, None),
        ("model.data_preprocessor.std", [0, 0, 0], "std: expected 0.001"),
        ("model.backbone.type", "RseNet", "did you mean 'ResNet'"),
        ("train_dataloader.sampler.type", "os.mkdir", "'os.mkdir' is no registered part"),
        ("optim_wrapper.type", "subprocess.run", "is no registered part"),
        ("schedule.gamma", "x", "schedule.gamma: expected float, got 'x'"),
        ("train_pipeline.4.gamma", [1], "gamma: expected float, got"),
        ("env_cfg", None, "not the config of a detector's training"),
    ],
)
def test_an_option_that_nobody_reads_or_could_use_is_told(tiny_store, option, value, told):
    if told is None:
        build_config(RTMDET, tiny_store, options={option: value})
        return
    with pytest.raises(DataError, match=r"rtmdet_tiny_rpc\.py") as caught:
        build_config(RTMDET, tiny_store, options={option: value})
    assert told in str(caught.value)
    assert len(str(caught.value)) < 500


def test_settings_that_a_part_knows_but_the_config_leaves_out_can_be_set(tiny_store):
    options = {
        "model.backbone.frozen_stages": 1,
        "optim_wrapper.optimizer.betas": (0.9, 0.99),
        "train_dataloader.pin_memory": True,
        "optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult": 0.1,
        "train_pipeline.4.gamma": 0.1,
        "start": "start.pth",
        "ema": None,
    }
    config = build_config(RTMDET, tiny_store, options=options)
    assert config.optim_wrapper.optimizer.betas == (0.9, 0.99)


CONFIGS = {
    "a program": ("import os\nos.mkdir('made')", "line 1: expected NAME = VALUE"),
    "a call": ("model = __import__('os').mkdir('made')", "line 1: expected a plain value"),
    "a lambda": ("model = dict(x=lambda: 1)", "expected a plain value"),
    "an import": ("from x import y", "expected NAME = VALUE"),
    "a foreign import": (
        f"_base_ = '{Path(RTMDET).resolve()}'\ncustom_imports = dict(imports=['{PLANTED}'])",
        "is not imported: a config is never a program",
    ),
    "a foreign hook": (
        f"_base_ = '{Path(RTMDET).resolve()}'\ncustom_hooks = [dict(type='{PLANTED}.run')]",
        "is no registered part",
    ),
    "a foreign average": (
        f"_base_ = '{Path(RTMDET).resolve()}'\nema = dict(ema_type='{PLANTED}.run')",
        "ema.ema_type: 'planted_module.run' is no registered part",
    ),
    "misspelt": (
        f"_base_ = '{Path(RTMDET).resolve()}'\noptim_warpper = dict()",
        "unknown setting 'optim_warpper'; did you mean 'optim_wrapper'",
    ),
    "no bases": ("_base_ = 3", "expected the names of config files"),
    "deep": ("x = " + "[" * 5000 + "]" * 5000, "not a usable config"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_file_is_values_only(tiny_store, tmp_path, monkeypatch, name):
    text, told = CONFIGS[name]
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(text)
    with nothing_foreign(tmp_path), pytest.raises(DataError, match=told):
        build_config("a.py", tiny_store)
    assert not Path("made").exists()


def test_bases_are_replaced_where_a_dict_says_so_and_names_stand_for_values(tmp_path):
    (tmp_path / "base.py").write_text("model = dict(a=dict(x=1, y=2), b=3)\n")
    (tmp_path / "leaf.py").write_text(
        "_base_ = 'base.py'\nsize = 5\nmodel = dict(a=dict(_delete_=True, z=size))\n"
    )
    expected = {"size": 5, "model": {"a": {"z": 5}, "b": 3}}
    assert read_config_file(tmp_path / "leaf.py") == expected


def test_a_part_that_cannot_be_built_is_told(tiny_store, tmp_path):
    for option, value in (("train_dataloader.timeout", "x"), ("optim_wrapper.clip_grad", 3)):
        with pytest.raises(DataError, match=r"rtmdet_tiny_rpc\.py: .* cannot be built"):
            train(build_config(RTMDET, tiny_store, options={**TINY, option: value}), tmp_path)


def test_a_network_that_no_model_file_may_hold_is_refused_before_it_is_trained(tiny_store):
    with pytest.raises(DataError, match="is no part that a detector is built of"):
        build_config(
            RTMDET, tiny_store, options={"model.bbox_head.loss_bbox.type": "BoundedIoULoss"}
        )


def test_changed_configs_are_built_or_refused_in_one_line(tiny_store, tmp_path, monkeypatch):
    """Any value at any place of a config, as an option or in the file."""
    monkeypatch.chdir(tmp_path)
    root = tiny_store
    plain = read_config(Path(__file__).parents[2] / RTMDET).to_dict()
    odd = [value for value in values() if isinstance(value, str | int | float | list | dict)]
    refused = 0
    with nothing_foreign(tmp_path):
        for number in range(40):
            rng = np.random.default_rng([19, number])
            base = Path(__file__).parents[2] / RTMDET
            if number % 2:
                text = repr(changed(plain, random_place(plain, rng), rng))
                if "tensor(" in text or "nan" in text or "inf" in text:
                    continue
                Path("b.py").write_text("".join(f"{k} = {v!r}\n" for k, v in eval(text).items()))
                base, options = Path("b.py"), {}
            else:
                place = random_place(plain, rng)
                options = {".".join(map(str, place)): odd[rng.integers(len(odd))]}
            try:
                build_config(base, root, options=options)
            except DataError as error:
                refused += 1
                told = str(error)
                assert "\n" not in told, told
                assert len(told) < 700, told
    assert refused > 10
