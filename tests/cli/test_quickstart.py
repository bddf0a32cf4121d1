"""The main job from photos to report, stopped, run again, and fed with bad stores."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from rpc.data.images import write_image
from rpc.detection.model_file import load_model
from synth.drawn import draw_package

ROOT = Path(__file__).parents[2]
PHOTO, TRAY, SKUS = 160, 256, 2
RATES = ("cAcc", "mCIoU", "mAP50", "mmAP")

pytestmark = pytest.mark.slow


def paste(picture, rgba, x, y):
    height, width = rgba.shape[:2]
    alpha = rgba[..., 3:] / 255
    part = picture[y : y + height, x : x + width]
    part[:] = (rgba[..., :3] * alpha + part * (1 - alpha)).astype(np.uint8)
    rows, columns = np.nonzero(rgba[..., 3] > 127)
    width, height = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    return [x + int(columns.min()), y + int(rows.min()), width, height]


def ground(side, rng):
    noise = rng.normal(0, 3, (side, side, 1))
    return np.clip(rng.integers(150, 200) + noise + np.zeros(3), 0, 255).astype(np.uint8)


def exemplars(rng):
    """Six photos of each SKU: name, picture, its items."""
    for sku in range(SKUS):
        for view in range(6):
            kind = ("front", "back")[view % 2]
            rgba = draw_package(5, sku, kind, view, long_side=80)
            photo = ground(PHOTO, rng)
            x, y = rng.integers(4, PHOTO - np.array(rgba.shape[1::-1]) - 4)
            box = paste(photo, rgba, int(x), int(y))
            yield f"package_{sku}_camera0-{view + 1}.jpg", photo, [(sku + 1, box)]


def trays(split, rng):
    """Three trays with three or four items each."""
    for number in range(3):
        photo, items = ground(TRAY, rng), []
        for cell in rng.permutation(4)[: 3 + number % 2].tolist():
            sku = int(rng.integers(SKUS))
            rgba = draw_package(5, sku, "front", 9 + cell, long_side=80)
            rgba = np.rot90(rgba, int(rng.integers(4)))
            x, y = 20 + 120 * (cell % 2), 20 + 120 * (cell // 2)
            items.append((sku + 1, paste(photo, rgba, x, y)))
        yield f"{split}_{number}.jpg", photo, items


def write_split(root, name, folder, photos):
    images, annotations = [], []
    for file_name, photo, items in photos:
        write_image(root / folder / file_name, photo)
        side = photo.shape[0]
        image = {"id": len(images) + 1, "file_name": file_name, "width": side, "height": side}
        images.append(image if name == "train" else {**image, "level": "easy"})
        for category_id, box in items:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": category_id,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    categories = [{"id": n + 1, "name": f"package_{n}"} for n in range(SKUS)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / f"instances_{name}.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("drawn") / "store"
    rng = np.random.default_rng(0)
    write_split(root, "train", "exemplars", exemplars(rng))
    write_split(root, "val", "val", trays("val", rng))
    write_split(root, "test", "test", trays("test", rng))
    return root


@pytest.fixture
def store(drawn, tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copytree(drawn, tmp_path / "store"))


FEW = ("--rule-scenes", "12")


def command(store, out, *more, scenes=("--scenes", "12"), budget=("--minutes", "0.3")):
    return [
        sys.executable, "tools/quickstart.py", "--data", store, "--out", out, "--start", "none",
        "--recogniser-start", "none", "--workers", "1", *scenes, *budget, *more,
    ]  # fmt: skip


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(*arguments, **options):
    return subprocess.run(
        list(map(str, command(*arguments, **options))),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
        check=False,
    )


def stamps(out):
    files = [out / "model.pth", out / "detections_test.json", *(out / "syn").rglob("*.jpg")]
    assert len(files) == 14
    return {path: path.stat().st_mtime_ns for path in files}


def check_report(out):
    report = json.loads((out / "report.json").read_text())
    assert (report["protocol"], report["supervision"]) == ("honest", "E")
    assert set(report["levels"]) >= {"easy", "averaged"}
    for row in report["levels"].values():
        assert all(0 <= row[name] <= 1 for name in RATES if row[name] is not None)
        assert row["ACD"] >= 1 - row["cAcc"]
        assert row["mCCD"] >= 0
        assert row["images"] == 3
    counts = json.loads((out / "counts.json").read_text())
    assert [cart["file_name"] for cart in counts] == ["test_0.jpg", "test_1.jpg", "test_2.jpg"]
    assert all(0 <= cart["certainty"] <= 1 for cart in counts)
    assert [cart["passes"] for cart in counts] == [cart["questions"] == 0 for cart in counts]
    receipts = json.loads((out / "receipts_test.json").read_text())
    assert [len(one["questions"]) for one in receipts] == [cart["questions"] for cart in counts]
    doubt = report["doubt"]
    assert doubt["levels"]["averaged"]["passed"] == sum(cart["passes"] for cart in counts)
    assert doubt["chosen_on"] == "val and composed scenes"
    assert report["threshold_curve"]
    for one in report["worst_carts"]["pictures"]:
        assert (out / one["picture"]).is_file()
    assert "<h2>Cart size</h2>" in (out / "report.html").read_text()
    assert (out / "tray_easy.jpg").is_file()
    assert "cAcc" in (out / "report.md").read_text()


def test_the_job_makes_a_report_and_a_second_run_does_nothing_again(store, tmp_path):
    out = tmp_path / "out"
    done = run(store, out)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    check_report(out)
    first = stamps(out)
    journal = (out / "journal.json").read_bytes()

    again = run(store, out)
    assert again.returncode == 0, again.stderr
    assert stamps(out) == first
    assert (out / "journal.json").read_bytes() == journal
    check_report(out)

    other = run(store, out, "--seed", "5")
    assert other.returncode == 2
    assert "other settings (seed: " in other.stderr
    assert other.stderr.count("\n") == 1


def test_a_store_without_trays_gets_its_model_and_no_report(store, tmp_path):
    for split in ("val", "test"):
        (store / f"instances_{split}.json").unlink()
        shutil.rmtree(store / split)
    out = tmp_path / "out"
    done = run(store, out, scenes=FEW)
    assert done.returncode == 0, done.stderr
    assert "nothing was measured" in done.stdout
    assert (out / "scenes.jpg").is_file()
    assert not (out / "syn").exists()
    assert not (out / "report.json").exists()
    saved = load_model(out / "model.pth")
    assert saved.recogniser is not None
    assert saved.counting is not None  # chosen on composed scenes


def test_jobs_that_disturb_each_other_give_the_same_model(store, tmp_path):
    budget = ("--detector-updates", "4", "--recogniser-updates", "4", "--minutes", "60")
    jobs = [
        subprocess.Popen(
            list(map(str, command(store, tmp_path / name, scenes=FEW, budget=budget))),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            cwd=ROOT,
        )
        for name in ("one", "other")
    ]
    for job in jobs:
        _, stderr = job.communicate()
        assert job.returncode == 0, stderr
    one, other = (load_model(tmp_path / name / "model.pth") for name in ("one", "other"))
    assert one.meta["iterations"] == one.meta["recogniser"]["iterations"] == 4
    for part in ("state_dict", "recogniser"):
        for name, value in getattr(one, part).items():
            assert torch.equal(value, getattr(other, part)[name]), name
    notes = json.loads((tmp_path / "one" / "report.json").read_text())["notes"]
    assert not [note for note in notes if "--minutes" in note]  # the cap has cut nothing


@pytest.mark.parametrize("step", ["detector", "recogniser"])
def test_a_job_stopped_in_training_is_finished_by_the_same_command(store, tmp_path, step):
    out = tmp_path / "out"
    job = subprocess.Popen(
        list(map(str, command(store, out))),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
        start_new_session=True,
        # A shell starts background jobs deaf to Ctrl-C, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in job.stdout:
        if line.rstrip().endswith(step):
            break
    time.sleep(4)
    os.killpg(job.pid, signal.SIGINT)  # as Ctrl-C does: to all processes of the job
    _, stderr = job.communicate(timeout=120)
    assert job.returncode == 130, stderr
    assert stderr.rstrip().endswith("stopped; run the same command again to go on")
    assert "Traceback" not in stderr
    steps = json.loads((out / "journal.json").read_text())["steps"]
    assert f"{step} done" not in steps
    assert "scenes done" in steps

    done = run(store, out)
    assert done.returncode == 0, done.stderr
    check_report(out)
    after = json.loads((out / "journal.json").read_text())["steps"]
    assert after["scenes"] == steps["scenes"]
    assert after[step] > steps[step]


def without_val(store):
    (store / "instances_val.json").unlink()
    return "no instances_val.json"


def truncated_exemplar(store):
    path = store / "exemplars" / "package_1_camera0-3.jpg"
    path.write_bytes(path.read_bytes()[:700])
    return path.name


@pytest.mark.parametrize("damage", [without_val, truncated_exemplar])
def test_a_bad_store_is_one_line_and_exit_code_two(store, tmp_path, damage):
    told = damage(store)
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    done = run(store, tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert told in lines[0]
    if damage is not truncated_exemplar:  # found while the bar of the first step is shown
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "out").exists()
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


def test_an_exemplar_that_was_damaged_and_repaired_lets_the_job_go_on(drawn, store, tmp_path):
    truncated_exemplar(store)
    assert run(store, tmp_path / "out").returncode == 2
    shutil.copytree(drawn, store, dirs_exist_ok=True)
    done = run(store, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    check_report(tmp_path / "out")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--minutes", "0"), "--minutes 0.0: expected above 0"),
        (("--scenes", "0"), "--scenes"),
        (("--config", "nowhere.py"), "nowhere.py: no such config"),
        (("--recogniser-start", "nowhere.pth"), "nowhere.pth: no such model to start from"),
    ],
)
def test_a_bad_option_is_told_before_any_work(store, tmp_path, more, told):
    done = run(store, tmp_path / "out", *more)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert told in done.stderr
    assert not (tmp_path / "out").exists()
