"""A training from start to end: resumed, stopped, diverged, refused."""

import itertools
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from mmengine.config import Config

from rpc.data import DataError
from rpc.detection import runtime
from rpc.detection.model_file import load_model, read_tensors
from rpc.detection.optim import DivergedError, check_weights
from rpc.detection.train import TrainingRunner, build_config, train
from tests.detection.drawn_store import SKUS, TINY

CONFIG = "configs/rtmdet_tiny_rpc.py"


@pytest.fixture
def config_of(tiny_store, tiny_scenes, tiny_options):
    """Build the tiny config with so many iterations and further changes."""

    def build(iterations, **options):
        changes = {"train_cfg.max_iters": iterations}
        merged = tiny_options | changes | {k.replace("__", "."): v for k, v in options.items()}
        return build_config(CONFIG, tiny_store, tiny_scenes, merged)

    return build


@pytest.fixture(scope="module")
def trained(tiny_store, tiny_scenes, tmp_path_factory):
    """Folders of two trainings of one update, of every SKU and of items alone: to be copied."""
    runtime.setup()
    folders = {}
    for name, agnostic in (("skus", False), ("items", True)):
        changes = {"train_cfg.max_iters": 1, "val_cfg": None, "agnostic": agnostic}
        config = build_config(CONFIG, tiny_store, tiny_scenes, TINY | changes)
        folders[name] = tmp_path_factory.mktemp("trained") / name
        train(config, folders[name])
    return folders


def scalars(work_dir, name):
    """Values of one scalar by step, from the JSON log."""
    rows = []
    for path in sorted(Path(work_dir).glob("*/vis_data/*.json")):
        if path.name.startswith("scalars"):
            continue
        rows += [json.loads(line) for line in path.read_text().splitlines()]
    return {row["step"]: row[name] for row in rows if name in row}


def test_a_training_ends_with_a_model_and_metrics_and_can_be_resumed(config_of, tmp_path, capfd):
    logged = {"default_hooks__logger__interval": 2}
    path = train(config_of(4, train_cfg__val_at=[1.0], **logged), tmp_path / "run")
    model = load_model(path)
    assert path == tmp_path / "run" / "model.pth"
    assert model.taxonomy == SKUS
    assert model.meta["iterations"] == 4
    assert model.counting is not None
    assert json.loads(model.config)["model"]["bbox_head"]["num_classes"] == len(SKUS)
    shown = capfd.readouterr().err
    assert "cAcc" in shown
    assert "mAP50" in shown
    assert "Traceback" not in shown
    assert set(scalars(tmp_path / "run", "checkout/cAcc")) == {4}
    assert list(tmp_path.glob("run/*/vis_data/events.out.tfevents.*"))
    assert not list(tmp_path.glob("run/.*.part*"))

    point = read_tensors(tmp_path / "run" / "last.pth")
    spent = point["meta"]["elapsed_seconds"]
    with pytest.raises(DataError, match="a training lies here already"):
        train(config_of(6), tmp_path / "run")
    longer = load_model(train(config_of(6, **logged), tmp_path / "run", resume=True))
    assert longer.meta["iterations"] == 6
    assert longer.meta["seconds"] > spent
    rates = scalars(tmp_path / "run", "lr")
    assert rates[6] < rates[4] < 0.001  # of 6 iterations, the last are the slowest
    changed = [
        name
        for name, value in longer.state_dict.items()
        if value.is_floating_point() and not torch.equal(value, model.state_dict[name])
    ]
    assert changed


def slowed(monkeypatch, seconds):
    """Every update takes so many seconds more, as far as a training can see."""
    from rpc.detection import loops

    work, late = loops.TimedTrainLoop._run_iter, itertools.count(1)
    started = loops.Budget.elapsed.fget

    def elapsed(self):
        return started(self) + seconds * self.updates_seen

    def slow(self, batch):
        work(self, batch)
        self.budget.updates_seen = next(late)

    monkeypatch.setattr(loops.Budget, "updates_seen", 0, raising=False)
    monkeypatch.setattr(loops.Budget, "elapsed", property(elapsed))
    monkeypatch.setattr(loops.TimedTrainLoop, "_run_iter", slow)


def test_a_busy_machine_gives_the_same_weights(config_of, tmp_path, monkeypatch):
    options = {"val_cfg": None, "train_cfg__max_minutes": 1000.0}
    quiet = load_model(train(config_of(4, **options), tmp_path / "quiet"))
    slowed(monkeypatch, seconds=1000 * 60 / 5)
    busy = load_model(train(config_of(4, **options), tmp_path / "busy"))
    assert busy.meta["seconds"] > 45_000
    assert (busy.meta["iterations"], busy.meta["iterations_asked"]) == (4, 4)
    for name, value in quiet.state_dict.items():
        assert torch.equal(value, busy.state_dict[name]), name


def test_a_cap_that_cuts_is_told_and_the_rate_still_falls_to_its_end(
    config_of, tmp_path, monkeypatch, capfd
):
    slowed(monkeypatch, seconds=20)
    options = {"val_cfg": None, "train_cfg__max_minutes": 5.0, "schedule__warmup": 0.0}
    logged = {"default_hooks__logger__interval": 1}
    model = load_model(train(config_of(400, **options, **logged), tmp_path))
    assert 12 <= model.meta["iterations"] < 16
    assert model.meta["iterations_asked"] == 400
    assert "the cap of 5 minutes is too short at this pace" in capfd.readouterr().err
    rates = scalars(tmp_path, "lr")
    assert rates[model.meta["iterations"]] < 0.2 * rates[1]  # 15 of 400 updates leave it whole


def test_a_signal_saves_and_the_training_goes_on_from_there(config_of, tmp_path, monkeypatch):
    from rpc.detection import loops

    work = loops.TimedTrainLoop._run_iter
    counter = itertools.count(1)

    def interrupted(self, batch):
        work(self, batch)
        if next(counter) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(loops.TimedTrainLoop, "_run_iter", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(config_of(4, val_cfg=None), tmp_path)
    assert read_tensors(tmp_path / "last.pth")["meta"]["iter"] == 2
    assert not (tmp_path / "model.pth").exists()
    assert (
        load_model(train(config_of(4, val_cfg=None), tmp_path, resume=True)).meta["iterations"] == 4
    )
    assert next(counter) == 5  # 4 iterations in all, none twice


def test_a_loss_that_is_not_finite_keeps_the_last_good_state(config_of, trained, tmp_path):
    shutil.copytree(trained["skus"], tmp_path, dirs_exist_ok=True)
    config = config_of(9, val_cfg=None, optim_wrapper__optimizer__lr=1e25, schedule__warmup=0)
    with pytest.raises(DivergedError, match="training diverged") as caught:
        train(config, tmp_path, resume=True)
    assert "\n" not in str(caught.value)
    state = read_tensors(tmp_path / "last.pth")["state_dict"]
    assert all(v.isfinite().all() for v in state.values() if v.is_floating_point())


def test_a_weight_that_is_not_finite_is_named():
    layer = torch.nn.Linear(2, 2)
    check_weights(layer)
    layer.bias.data[0] = float("nan")
    with pytest.raises(DivergedError, match="'bias' is not finite"):
        check_weights(layer)


class _RunsACommand:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_resume_point_executes_nothing(config_of, trained, tmp_path):
    trace = tmp_path / "executed"
    torch.save({"meta": _RunsACommand(f"touch {trace}")}, tmp_path / "last.pth")
    with pytest.raises(DataError, match="could execute code"):
        train(config_of(2), tmp_path, resume=True)
    # Harmless to a safe reader, but mmengine would run this text as a Python config.
    shutil.copytree(trained["skus"], tmp_path / "run")
    point = read_tensors(tmp_path / "run" / "last.pth")
    point["meta"]["config"] = f"import os\nos.system('touch {trace}')"
    torch.save(point, tmp_path / "run" / "last.pth")
    train(config_of(2, val_cfg=None), tmp_path / "run", resume=True)
    assert not trace.exists()


def test_a_folder_with_the_training_of_other_data_is_refused(config_of, trained, tmp_path):
    shutil.copytree(trained["items"], tmp_path, dirs_exist_ok=True)
    assert load_model(tmp_path / "model.pth").taxonomy.names == ("product",)
    with pytest.raises(DataError, match="checkpoint of another data set"):
        train(config_of(2, val_cfg=None), tmp_path, resume=True)


def test_a_resume_point_of_another_model_is_refused(config_of, trained, tmp_path):
    shutil.copytree(trained["skus"], tmp_path, dirs_exist_ok=True)
    other = {"model__neck__out_channels": 16, "model__bbox_head__in_channels": 16}
    with pytest.raises(DataError, match="holds another model than the config"):
        train(config_of(2, val_cfg=None, **other), tmp_path, resume=True)


def test_a_start_is_taken_over_and_not_initialised_away(config_of, trained, tmp_path):
    start = trained["items"] / "model.pth"
    still = {"optim_wrapper__optimizer__lr": 0.0, "start": str(start)}  # learns nothing more
    path = train(config_of(1, val_cfg=None, **still), tmp_path / "run")
    before, after = load_model(start).state_dict, load_model(path).state_dict
    names = [n for n in after if n.endswith("conv.weight")]
    assert names
    for name in names:
        assert torch.equal(before[name], after[name])


def test_mixed_precision_trains_too(tiny_store, tiny_scenes, tiny_options, tmp_path):
    options = tiny_options | {"train_cfg.max_iters": 2, "val_cfg": None}
    config = build_config(CONFIG, tiny_store, tiny_scenes, options, amp=True)
    state = load_model(train(config, tmp_path)).state_dict
    assert all(v.isfinite().all() for v in state.values())


def test_pretrained_weights_out_of_reach_are_one_line(config_of, tmp_path, monkeypatch):
    def offline(self):
        raise URLError("Name or service not known")

    monkeypatch.setattr(TrainingRunner, "train", offline)
    with pytest.raises(DataError, match=r"cannot be fetched .*init_cfg=None"):
        train(config_of(1), tmp_path / "work")


def test_a_damaged_photo_stops_the_training_with_its_name(config_of, tmp_path, tiny_scenes):
    scenes = tmp_path / "scenes"
    shutil.copytree(tiny_scenes, scenes)
    for path in (scenes / "images").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    config = config_of(2, val_cfg=None, train_dataloader__num_workers=1)
    config.train_dataloader.dataset.root = str(scenes)
    with pytest.raises(DataError, match=r"images_\d+\.png: ") as caught:
        train(config, tmp_path / "run")
    assert "\n" not in str(caught.value)


def run_tool(*arguments, launch=()):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *launch, "tools/train.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def cli_options(**more):
    return ["--cfg-options", *(f"{k}={v}" for k, v in (TINY | more).items())]


@pytest.mark.slow
def test_the_tool_trains_on_two_processes_over_gloo(tiny_store, tiny_scenes, tmp_path):
    done = run_tool(
        CONFIG, "--data", tiny_store, "--scenes", tiny_scenes, "--work-dir", tmp_path,
        "--launcher", "pytorch",
        *cli_options(**{"train_cfg.max_iters": 4}),
        launch=("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    model = load_model(tmp_path / "model.pth")
    assert model.meta["iterations"] == 4
    assert model.counting is not None
    assert str(tmp_path / "model.pth") in done.stdout


@pytest.mark.slow
def test_the_tool_stops_within_its_minutes_and_resumes(tiny_store, tiny_scenes, tmp_path):
    common = (
        CONFIG, "--data", tiny_store, "--scenes", tiny_scenes, "--work-dir", tmp_path,
        "--iterations", 100_000,
    )  # fmt: skip
    done = run_tool(*common, "--minutes", 0.1, *cli_options())
    assert done.returncode == 0, done.stderr
    assert 4 < load_model(tmp_path / "model.pth").meta["seconds"] < 9
    done = run_tool(*common, "--minutes", 0.2, "--resume", *cli_options())
    assert done.returncode == 0, done.stderr
    assert 9 < load_model(tmp_path / "model.pth").meta["seconds"] < 16


@pytest.mark.slow
def test_the_tool_answers_bad_input_with_one_line(tmp_path):
    done = run_tool(CONFIG, "--data", tmp_path / "nowhere", "--work-dir", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nowhere: no such folder" in done.stderr


def test_the_model_is_put_on_the_device_of_the_config():
    runner = TrainingRunner.__new__(TrainingRunner)
    runner.cfg, runner._distributed = Config({"device": "meta"}), False
    runner.logger = logging.getLogger(__name__)
    wrapped = runner.wrap_model(None, torch.nn.Linear(2, 2))
    assert {p.device.type for p in wrapped.parameters()} == {"meta"}
