"""Settings are read from a config's dicts, and what does not fit is named."""

from dataclasses import asdict

import pytest

from rpc.data import DataError
from synth.render.training.settings import ContrastiveSettings, CycleSettings
from synth.render.training.settings_reader import read_settings
from tests.synth.render.tiny_translation import TINY, tiny_settings


def changed(**parts):
    return {**{name: dict(part) for name, part in TINY.items()}, **parts}


def test_types_of_objectives():
    cycle = read_settings(changed(objective={"type": "cyclegan"}), "c").objective
    assert cycle == CycleSettings(cycle=10, identity=0.5, content=0)
    cut = read_settings(changed(objective={"type": "contrastive"}), "c").objective
    assert cut == ContrastiveSettings(nce=1, patches=256, width=256, temperature=0.07)
    assert cut.identity
    assert not cut.flip


def test_lists_and_whole_numbers_do_for_tuples_and_floats():
    settings = tiny_settings(training={"betas": [0, 0.9], "lr": 1, "minutes": 3})
    assert settings.training.betas == (0, 0.9)
    assert asdict(settings)["training"]["minutes"] == 3


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            changed(generater={}),
            "c: unknown setting generater; did you mean 'generator'. known: adversarial, crops",
        ),
        (
            changed(generator={"widht": 4}),
            "c: generator: unknown setting widht; did you mean 'width'. known: blocks",
        ),
        (changed(generator={"width": "4"}), "c: generator.width: expected int, got '4'"),
        (changed(generator={"width": True}), "c: generator.width: expected int, got True"),
        (changed(generator={"width": 0}), "c: generator: expected width above 0, got 0"),
        (changed(generator={"upsampling": "best"}), "generator.upsampling: expected .*transposed"),
        (changed(generator=4), "c: generator: expected a dict of settings, got 4"),
        (changed(objective={"type": "pix2pix"}), "expected type cyclegan or contrastive, got 'pix"),
        (changed(objective={"type": "cyclegan", "nce": 1}), "objective: unknown setting nce"),
        (changed(objective={"type": "cyclegan", "cycle": -1}), "expected cycle 0 or more, got -1"),
        (changed(training={}), "c: training: training: expected iterations, minutes or both"),
        (changed(training={"iterations": None}), "expected iterations, minutes or both"),
        (changed(training={"iterations": 5, "ema": 1}), r"expected ema in \[0, 1\), got 1"),
        (changed(training={"iterations": 5, "betas": [0.5]}), "betas: expected .*float"),
        (changed(training={"iterations": 5, "betas": [0.5, 2]}), r"betas in \[0, 1\)"),
        (changed(crops={"side": 30}), "side a multiple of 4 from 16 on, got 30"),
        (changed(crops={"side": 32, "load_scale": 2}), r"load_scale in \(0, 1\], got 2"),
        (
            changed(crops={"side": 16}, discriminator={"layers": 3}),
            "needs a side of 24 px or more, got 16",
        ),
        (changed(tiling={"tile": 20}), "expected tile 0, or at least 16 and twice the overlap"),
        (changed(adversarial={"loss": "wgan"}), "adversarial.loss: expected .*least_squares"),
    ],
)
def test_what_does_not_fit_is_named_with_what_does(values, line):
    with pytest.raises(DataError, match=line) as refusal:
        read_settings(values, "c")
    assert "\n" not in str(refusal.value)


def test_a_config_without_an_objective_says_so():
    values = {name: part for name, part in TINY.items() if name != "objective"}
    with pytest.raises(DataError, match="objective: expected a dict of settings, got None"):
        read_settings(values, "c")
