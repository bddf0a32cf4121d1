import json

import pytest

from rpc.cli import doctor
from rpc.pipelines.doctor import Findings

SOUND = Findings(
    versions={"rpc-checkout": "1", "python": "3"},
    extras={"gallery": [], "synth": ["albumentations", "rembg"]},
    devices={
        "cpu": "a processor",
        "cores": 4,
        "bfloat16": False,
        "gpus": [{"name": "a card", "memory": 8 << 30}],
    },
    files={"configs/cpu_default.py": "/a/configs/cpu_default.py"},
    counter={
        "device": "cuda",
        "load_seconds": 1.5,
        "photo_seconds": 0.25,
        "counts": {"soap": 2},
        "expected": {"soap": 2},
    },
)


@pytest.mark.parametrize("findings", [SOUND, Findings(problems=["cv2: broken"])])
def test_the_exit_code_and_the_json_say_whether_trays_are_counted(monkeypatch, capsys, findings):
    monkeypatch.setattr(doctor, "examine", lambda device: findings)
    code = doctor.main(["--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["usable"] == findings.usable == (code == 0)
    assert told == findings.to_dict()


def test_the_page_tells_extras_to_install_gpus_times_and_problems(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda device: SOUND)
    assert doctor.main([]) == 0
    page = capsys.readouterr().out
    assert "gallery  installed" in page
    assert "(albumentations, rembg): pip install 'rpc-checkout[synth]'" in page
    assert "cuda:0  a card, 8 GiB" in page
    assert "1.50 s" in page
    assert "2 items of 1 products, as expected" in page
    assert page.endswith("ok: trays are counted here\n")
    broken = Findings(versions={"python": "3"}, problems=["cv2: broken"])
    assert list(doctor.page(broken))[-1] == "problem: cv2: broken"
