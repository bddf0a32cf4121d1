import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from rpc.data.class_sets.class_set import ClassSet
from rpc.data.files import DataError, read_json, write_json
from rpc.data.images import read_image, write_image
from rpc.detection import runtime
from rpc.recognition.systems.registry import system_names
from rpc.recognition.training.run_settings import read_run_settings
from rpc.reporting.provenance import sha256
from rpc.runs.tensor_files import read_tensors, write_tensors
from tests.cli.small_shop import ROOT, make_store

CONFIGS = ROOT / "configs" / "recognition"
BEST, LAST = "best.pth", "last.pth"
CONFIG = CONFIGS / "baseline.py"
SMALL = {"backbone": "test_resnet", "pretrained": False, "stages": [2, 3]}
VALUES = {
    "system": "baseline",
    "side": 32,
    "options": SMALL,
    "training": {"iterations": 30, "batch_size": 6, "lr": 0.01},
    "augmentation": {"least_area": 0.8, "light": 0.05},
}


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """Three classes that colour tells apart."""
    root = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(0)
    for channel, name in enumerate(("berry", "lime", "plum")):
        for n in range(10):
            rgb = rng.integers(0, 90, (40, 40, 3)).astype(np.uint8)
            rgb[..., channel] += 150
            split = "train" if n < 7 else "test"
            write_image(root / split / name / f"{n}.png", rgb)
    return root


@pytest.fixture(scope="module", autouse=True)
def tools():
    """The tools can be imported while this file is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        yield


def run_recognition(request, *stop):
    importlib.import_module("rpc.pipelines.recognition.run").run_recognition(request, *stop)


def request_for(colours, out, **changes):
    made = importlib.import_module("rpc.pipelines.recognition.request").Request
    settings = read_run_settings({**VALUES, **changes.pop("values", {})}, "test")
    return made(settings=settings, config=CONFIG, data=colours, out=out, **changes)


def test_every_config_is_a_system_with_all_its_settings():
    runtime.setup()
    from rpc.runs.config_files import read_config_file

    found = sorted(CONFIGS.glob("*.py"))
    assert {path.stem for path in found} == set(system_names())
    for path in found:
        settings = read_run_settings(read_config_file(path), path.name)
        assert settings.system.name == path.stem


@pytest.fixture(scope="module")
def trained(colours, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained")
    run_recognition(request_for(colours, out))
    return out


def test_a_run_leaves_figures_with_their_origin(trained):
    result = read_json(trained / "result.json")
    assert result["system"] == "baseline"
    assert result["accuracy"]["test"]["top1"] > 0.8
    assert result["accuracy"]["test"]["photos"] == 9
    assert {k: result["data"][k] for k in ("classes", "train", "val", "test")} == {
        "classes": 3,
        "train": 18,
        "val": 3,
        "test": 9,
    }
    assert "kept apart with seed 0" in result["protocol"]
    assert result["training"]["batches"] == 30
    assert result["training"]["cpu_seconds"] > 0
    assert result["parameters"] > 1000
    assert result["seed"] == 0
    assert {"code", "versions", "config"} <= result["manifest"].keys()
    assert str(trained) not in json.dumps(result)
    confusions = read_json(trained / "confusions.json")
    assert confusions["classes"] == ["berry", "lime", "plum"]
    assert "families" not in confusions["test"]
    assert read_image(trained / "confusions.png").size
    assert not (trained / "looked_at.png").exists()  # the baseline does not say


def test_the_best_on_validation_is_kept_and_measured(trained):
    best, last = (read_tensors(trained / name)["origin"] for name in (BEST, LAST))
    assert best["validation"] >= last["validation"]
    result = read_json(trained / "result.json")
    assert result["accuracy"]["val"]["top1"] == pytest.approx(best["validation"])


def test_the_whole_training_split_can_be_learned_from(colours, tmp_path):
    run_recognition(request_for(colours, tmp_path, values={"validation": {"share": 0}}))
    result = read_json(tmp_path / "result.json")
    assert (result["data"]["train"], result["data"]["val"]) == (21, 0)
    assert "the whole training split was learned from; the last state" in result["protocol"]
    assert result["checkpoint"]["chosen_on"] == "nothing: the last state"
    assert result["accuracy"].keys() == {"test"}
    best, last = (read_tensors(tmp_path / name)["state"] for name in (BEST, LAST))
    assert all(torch.equal(best[name], last[name]) for name in last)


def test_a_file_of_weights_starts_the_backbone_and_is_recorded_by_name_and_hash(colours, tmp_path):
    torch.manual_seed(7)
    state = timm.create_model("test_resnet", num_classes=5).state_dict()
    torch.save(state, tmp_path / "own.pth")
    values = {
        "options": {**SMALL, "pretrained": str(tmp_path / "own.pth")},
        "training": {"iterations": 1, "batch_size": 6, "lr": 1e-9},
    }
    run_recognition(request_for(colours, tmp_path / "out", values=values))
    model = read_tensors(tmp_path / "out" / BEST)
    learned = model["state"]["backbone.network.conv1.0.weight"]
    assert torch.allclose(learned, state["conv1.0.weight"], atol=1e-6)
    kept = {"name": "own.pth", "sha256": sha256(tmp_path / "own.pth")}
    assert model["origin"]["backbone_weights"] == kept
    assert model["options"]["pretrained"] == "own.pth"
    assert read_json(tmp_path / "out" / "run.json")["backbone_weights"] == kept
    assert str(tmp_path) not in (tmp_path / "out" / "result.json").read_text()


def test_a_checkpoint_is_measured_as_its_training_measured_it(colours, trained, tmp_path):
    run_recognition(request_for(colours, tmp_path, checkpoint=trained / BEST))
    again, first = (read_json(out / "result.json") for out in (tmp_path, trained))
    assert again["accuracy"] == first["accuracy"]
    assert again["training"] is None


def test_a_checkpoint_is_not_validated_on_photos_that_it_learned_from(
    colours, trained, tmp_path, capsys
):
    values = {"validation": {"seed": 1}, "training": {"epochs": 3.0, "batch_size": 2, "lr": 0.1}}
    run_recognition(request_for(colours, tmp_path, values=values, checkpoint=trained / BEST))
    result = read_json(tmp_path / "result.json")
    assert set(result["accuracy"]) == {"test"}
    assert "test photos alone" in result["protocol"]
    assert set(read_json(tmp_path / "confusions.json")) == {"classes", "test"}
    assert "validation photos are not measured" in capsys.readouterr().err
    # What is said of the training is the checkpoint's own.
    assert result["config"]["values"]["training"]["iterations"] == 30
    assert result["config"]["values"]["training"]["epochs"] is None


def test_the_figures_of_a_training_are_not_replaced_by_another_checkpoints(colours, trained):
    before = (trained / "result.json").read_bytes()
    with pytest.raises(DataError, match="holds a training; the figures of a given checkpoint"):
        run_recognition(request_for(colours, trained, checkpoint=trained / LAST))
    assert (trained / "result.json").read_bytes() == before


def test_a_checkpoint_of_weights_that_are_no_numbers_is_told(colours, trained, tmp_path):
    content = read_tensors(trained / BEST)
    content["state"]["head.weight"][:] = torch.nan
    write_tensors(tmp_path / "nan.pth", content)
    with pytest.raises(DataError, match="holds numbers that are NaN or infinite"):
        run_recognition(request_for(colours, tmp_path / "out", checkpoint=tmp_path / "nan.pth"))
    assert not (tmp_path / "out" / "result.json").exists()


def copied(colours, out):
    for path in colours.glob("*/*/*.png"):
        write_image(out / path.relative_to(colours), read_image(path))
    return out


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_is_no_photo_is_told_before_anything_is_learned(colours, tmp_path, split):
    data = copied(colours, tmp_path / "data")
    bad = data / split / "lime" / ("0.png" if split == "train" else "8.png")
    good = bad.read_bytes()
    bad.write_text("<html>not found</html>")
    with pytest.raises(DataError, match=f"{bad.name}: not an image"):
        run_recognition(request_for(data, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    bad.write_bytes(good)
    run_recognition(request_for(data, tmp_path / "out"))


def test_a_photo_that_breaks_off_leaves_nothing_in_the_way_of_the_next_run(colours, tmp_path):
    data = copied(colours, tmp_path / "data")
    path = data / "train" / "lime" / "0.png"
    path.write_bytes(path.read_bytes()[:-900])
    # Every photo is in the first batch.
    values = {"training": {"iterations": 3, "batch_size": 18, "lr": 0.01}}
    with pytest.raises(DataError, match="truncated or damaged"):
        run_recognition(request_for(data, tmp_path / "out", values=values))
    path.unlink()
    run_recognition(request_for(data, tmp_path / "out", values=values))


def test_a_test_photo_that_is_mended_does_not_make_it_another_training(colours, tmp_path):
    data = copied(colours, tmp_path / "data")
    path = data / "test" / "lime" / "8.png"
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(DataError, match="truncated or damaged"):
        run_recognition(request_for(data, tmp_path / "out"))
    path.unlink()
    run_recognition(request_for(data, tmp_path / "out", resume=True))
    assert read_json(tmp_path / "out/result.json")["accuracy"]["test"]["photos"] == 8


def test_a_checkpoint_of_another_system_or_other_classes_is_one_line(colours, trained, tmp_path):
    other = {"system": "isqrt", "options": {**SMALL}}
    del other["options"]["stages"]
    with pytest.raises(DataError, match="a model of the system baseline, not of isqrt"):
        run_recognition(request_for(colours, tmp_path, values=other, checkpoint=trained / BEST))
    fewer = tmp_path / "fewer"
    for path in colours.glob("*/*/*.png"):
        if path.parent.name != "plum":
            write_image(fewer / path.relative_to(colours), read_image(path))
    with pytest.raises(DataError, match="a model of 3 classes, and fewer has 2, 'plum' in one"):
        run_recognition(request_for(fewer, tmp_path, checkpoint=trained / BEST))


def test_a_folder_with_another_run_is_refused(colours, trained):
    with pytest.raises(DataError, match="holds a training; --resume goes on"):
        run_recognition(request_for(colours, trained))
    with pytest.raises(DataError, match=r"other settings \(seed: 0 then, 5 now\)"):
        run_recognition(request_for(colours, trained, seed=5, resume=True))
    other = {"options": {**SMALL, "head": "cosine"}}
    with pytest.raises(DataError, match=r"other settings \(options\."):
        run_recognition(request_for(colours, trained, values=other, resume=True))


def test_stopped_and_resumed_gives_the_same_model(colours, trained, tmp_path):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) == 17

    with pytest.raises(KeyboardInterrupt):
        run_recognition(request_for(colours, tmp_path), stop)
    run_recognition(request_for(colours, tmp_path, resume=True, workers=2))
    for name in (BEST, LAST):
        whole, parts = (read_tensors(out / name)["state"] for out in (trained, tmp_path))
        assert all(torch.equal(value, parts[key]) for key, value in whole.items())


def test_what_a_system_looked_at_is_drawn(colours, tmp_path):
    values = {
        "system": "st_cnn_2",
        "side": 64,
        "options": {
            "backbone": "test_resnet",
            "pretrained": False,
            "window_side": 32,
            "look_side": 64,
        },
        "training": {"iterations": 2, "batch_size": 4, "lr": 0.001},
    }
    run_recognition(request_for(colours, tmp_path, values=values))
    assert read_image(tmp_path / "looked_at.png").std() > 10


def test_a_class_whose_name_cannot_be_drawn_goes_by_its_number():
    sheets = importlib.import_module("rpc.pipelines.recognition.sheets")
    data = ClassSet("shop", ("cola", "\U000f0000"), (), (), ())
    assert [sheets._called(data, label) for label in (0, 1)] == ["cola", "class 2"]


def test_the_tool_reads_config_and_options(colours, tmp_path, capsys):
    main = importlib.import_module("rpc.cli.recognise").main
    words = [str(CONFIG), "--data", str(colours), "--out", str(tmp_path), "--iterations", "2"]
    words += [
        "--cfg-options",
        "side=32",
        "options.backbone=test_resnet",
        "options.pretrained=False",
    ]
    assert main([*words, "options.stages=(2,3)", "training.batch_size=4"]) == 0
    assert "baseline: val" in capsys.readouterr().out
    values = read_json(tmp_path / "result.json")["config"]["values"]
    assert values["training"]["epochs"] is None
    assert values["training"]["iterations"] == 2
    with pytest.raises(DataError, match="system 'rnn'"):
        main([*words[:4], str(tmp_path / "b"), "--system", "rnn"])
    with pytest.raises(DataError, match="--seed 9999999999: expected 0 to 4294967295"):
        main([*words[:4], str(tmp_path / "b"), "--seed", "9999999999"])
    with pytest.raises(DataError, match="--workers -1: expected 0 to 4096"):
        main([*words[:5], "--workers", "-1"])


def test_one_class_is_one_line(colours, tmp_path):
    for split in ("train", "test"):
        for path in (colours / split / "lime").iterdir():
            write_image(tmp_path / "one" / split / "lime" / path.name, read_image(path))
    with pytest.raises(DataError, match="training photos of 1 classes"):
        run_recognition(request_for(tmp_path / "one", tmp_path / "out"))


def leave(line):
    """Exit code and stderr of the tool, as a shell sees them."""
    tool = [sys.executable, str(ROOT / "tools/train_recognition.py"), *map(str, line)]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_class_with_one_photo_leaves_one_line(colours, tmp_path):
    for path in colours.glob("*/*/*.png"):
        if path.parts[-3:-1] != ("train", "lime") or path.name == "0.png":
            write_image(tmp_path / "few" / path.relative_to(colours), read_image(path))
    code, said = leave([CONFIG, "--data", tmp_path / "few", "--out", tmp_path / "out"])
    assert code == 2
    assert said == (
        "error: few: class lime: one training photo, expected two or more: one to learn from, one "
        "to validate on; add photos, take the class out, or give validation photos of your own (a "
        "folder of classes: val/)\n"
    )
    assert not (tmp_path / "out/result.json").exists()


def test_grey_and_transparent_photos_are_learned_from_and_measured(colours, tmp_path):
    for path in colours.glob("*/*/*.png"):
        rgb = Image.fromarray(read_image(path))
        made = {0: rgb.convert("L"), 1: rgb.convert("RGBA"), 2: rgb.convert("LA")}
        picture = made.get(int(path.stem), rgb)
        if picture.mode == "RGBA":
            picture.putalpha(Image.linear_gradient("L").resize(rgb.size))
        out = tmp_path / "mixed" / path.relative_to(colours)
        out.parent.mkdir(parents=True, exist_ok=True)
        picture.save(out)
    values = {"training": {"iterations": 3, "batch_size": 6, "lr": 0.01}}
    run_recognition(request_for(tmp_path / "mixed", tmp_path / "out", values=values))
    assert read_json(tmp_path / "out/result.json")["accuracy"]["test"]["photos"] == 9


@pytest.mark.parametrize("system", ["mask_cnn", "part_rcnn"])
def test_systems_of_key_points_refuse_data_without_any(colours, tmp_path, system):
    values = {"system": system, "side": 64, "options": {"pretrained": False}}
    with pytest.raises(DataError, match=r"colours\d*: has no key points, which \w+ learns from"):
        run_recognition(request_for(colours, tmp_path, values=values))
    assert not list(tmp_path.iterdir())


def test_families_of_a_store_are_counted_apart(tmp_path):
    store = make_store(tmp_path / "store")
    for path in store.glob("instances_*.json"):
        content = read_json(path)
        for category in content["categories"]:
            category["supercategory"] = "drink"
        write_json(path, content)
    values = {"training": {"iterations": 1, "batch_size": 4, "lr": 0.001}}
    run_recognition(request_for(store, tmp_path / "out", values=values))
    confusions = read_json(tmp_path / "out/confusions.json")["test"]
    (row,) = confusions["families"]
    assert (row["family"], row["classes"], row["photos"]) == ("drink", 2, 2)
    assert row["right"] + row["within"] == 2
    assert confusions["errors_within_families"] == (1.0 if row["within"] else None)
    result = read_json(tmp_path / "out/result.json")
    assert result["data"]["known"] == ["boxes"]
    assert "of val trays and of test trays" in result["protocol"]


@pytest.mark.slow
def test_two_processes_train_one_system(colours, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(ROOT / "tools/train_recognition.py"), str(CONFIG)]
    command += ["--data", str(colours), "--out", str(tmp_path), "--epochs", "2", "--cfg-options"]
    command += ["side=32", "options.backbone=test_resnet", "options.pretrained=False"]
    command += ["options.stages=(2,3)", "training.batch_size=3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("baseline: val") == 1
    training = read_json(tmp_path / "result.json")["training"]
    assert (training["processes"], training["batches"]) == (2, 6)  # 2 x 18 photos, 3 x 2 at once
