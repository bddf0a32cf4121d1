"""Tools called in this process, by the same entry point as from the shell, on a shop's files."""

import importlib
import re
import sys

import pytest

from rpc.detection import runtime
from tests.cli.small_shop import ROOT, SKUS, TINY, VERB, arguments, make_shop, make_store

# Of work that was done before the trouble: how far a step or a training has come.
PROGRESS = re.compile(r".+  \d+/\d+  \d+:\d\d left|training +\d+%  ")


@pytest.fixture
def shop(tmp_path):
    """The folder of a shop; see `small_shop`."""
    return make_shop(tmp_path)


@pytest.fixture
def leave(shop, monkeypatch, capsys):
    """Call a tool on the shop, with more arguments; its exit code, and its stdout and stderr."""
    runtime.setup()  # pytest restores the warning filters for every test
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)

    def run(tool, *more):
        line = [f"{tool}.py", *map(str, (*arguments(tool, shop), *more))]
        monkeypatch.setattr(sys, "argv", line)
        main = importlib.import_module(VERB[tool]).main
        with pytest.raises(SystemExit) as left:
            importlib.import_module("rpc.cli.leave").run(main)
        return left.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(leave, shop):
    """Call a tool that must refuse in one line, and lose nothing in the shop; returns the line."""

    def run(tool, *more):
        before = contents(shop)
        code, _, stderr = leave(tool, *more)
        assert code == 2, stderr
        lines = [line for line in stderr.splitlines() if not PROGRESS.match(line)]
        assert len(lines) == 1, stderr
        assert lines[0].startswith("error: ")
        after = contents(shop)
        assert {path: after.get(path) for path in before} == before
        assert not [path for path in after if ".part" in path.name]
        return lines[0]

    return run


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def cutouts(leave, shop):
    """Cut-outs of the shop's store, in the folder `cutouts`."""
    code, _, stderr = leave("make_cutouts", "--out", shop / "cutouts")
    assert code == 0, stderr
    return shop / "cutouts"


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """An untrained detector of the store's SKUs: its weights and its description."""
    runtime.setup()
    from mmdet.registry import MODELS
    from mmengine.registry import init_default_scope

    from rpc.detection.config import build_config, model_text

    init_default_scope("mmdet")
    store = make_store(tmp_path_factory.mktemp("network"))
    config = build_config(ROOT / "configs" / "rtmdet_tiny_rpc.py", store, options=TINY)
    return MODELS.build(config.model).state_dict(), model_text(config)


@pytest.fixture
def save_as(network, shop):
    """Write the network as the shop's model, of these SKUs."""

    def save(names):
        from rpc.counting import CountingRule
        from rpc.data import Category, Taxonomy
        from rpc.detection.model_file import SavedModel, write_model

        taxonomy = Taxonomy(Category(number, name) for number, name in enumerate(names, start=1))
        rule = CountingRule.plain(0.0).to_dict()
        return write_model(shop / "model.pth", SavedModel(*network, taxonomy, rule))

    return save


@pytest.fixture
def model(save_as):
    """A model of the store's own SKUs."""
    return save_as(SKUS)
