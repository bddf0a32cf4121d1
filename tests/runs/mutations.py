"""Files of plain values and tensors with something wrong in them: one change or a few by chance."""

import copy
import json
import os
import sys
from contextlib import contextmanager

import torch

COUNT = int(os.environ.get("RPC_MUTATIONS", "100"))  # of a whole run; a long drill asks for more
PLANTED = "planted_module"  # imported, opened or called by nothing but a fault
WORDS = (
    "",
    "x",
    "ResNet",
    "BN",
    "nms",
    PLANTED,
    f"{PLANTED}.run",
    f"{PLANTED}:run",
    f"{PLANTED}.pth",
    f"./{PLANTED}.pth",
    f"__import__('{PLANTED}')",
    "subprocess.check_output",
    "torch.nn.Conv2d",
    "hf-hub:someone/something",
    "local-dir:.",
    "https://localhost:1/x.pth",
    "\x1b[31mred",
    "ä" * 300,
)
NUMBERS = (0, 1, -1, 2, 3, 7, 0.5, 1e-9, 1e9, 1e308, 10**9, 2**31, 2**63, 10**20, 10**400)
ODD = (float("nan"), float("inf"), -float("inf"))


def values():
    """What a part may become."""
    return [
        None,
        True,
        False,
        [],
        {},
        [1],
        [[]],
        [0.0, 0.0, 0.0],
        [10**9] * 3,
        {"type": f"{PLANTED}.run"},
        {"type": PLANTED, "_scope_": PLANTED},
        {"type": "BN"},
        {"type": "Pretrained", "checkpoint": f"{PLANTED}.pth"},
        torch.zeros(2),
        torch.zeros(3, 4, 5),
        torch.zeros(()),
        torch.zeros(0),
        torch.full((3,), float("nan")),
        torch.ones(4, dtype=torch.int64),
        torch.zeros(1).expand(50_000, 30_000),
        *WORDS,
        *NUMBERS,
        *(-number for number in NUMBERS),
        *ODD,
    ]


def random_place(part, rng):
    """A place inside nested values: downwards by chance, an end of the way more often than not."""
    place = []
    while (
        isinstance(part, dict | list | tuple) and len(part) and (not place or rng.random() < 0.85)
    ):
        names = list(part) if isinstance(part, dict) else range(len(part))
        place.append(names[rng.integers(len(names))])
        part = part[place[-1]]
    return place


def changed(part, place, rng):
    """The values with one place dropped, renamed, doubled or given another value."""
    if not place:
        every = values()
        return every[rng.integers(len(every))]
    name, *rest = place
    if isinstance(part, tuple):
        return tuple(changed(list(part), place, rng))
    part = copy.copy(part)
    if rest:
        part[name] = changed(part[name], rest, rng)
        return part
    kind = rng.integers(8)
    if kind == 0:
        del part[name]
    elif kind == 1 and isinstance(part, dict):
        part[WORDS[rng.integers(len(WORDS))]] = part[name]
    elif kind == 2 and isinstance(part[name], int | float) and not isinstance(part[name], bool):
        part[name] *= (-1, 0, 1000, 10**9)[rng.integers(4)]
    elif kind == 3 and isinstance(part[name], torch.Tensor) and part[name].numel() > 1:
        part[name] = (part[name].flatten(), part[name][:1], part[name].half())[rng.integers(3)]
    else:
        part[name] = changed(part[name], (), rng)
    return part


def mutated(content, rng, text="config"):
    """The content with one to three changes, most of them inside the JSON under `text`."""
    content = copy.copy(content)
    for _ in range(rng.integers(1, 4)):
        inside = rng.random() < 0.6
        try:
            part = json.loads(content[text]) if inside else content
        except (KeyError, TypeError, ValueError):
            part, inside = content, False
        if not isinstance(part, dict) or not part:
            return content
        network = part.get("model") if inside else None
        if isinstance(network, dict) and network and rng.random() < 0.8:
            part = {**part, "model": changed(network, random_place(network, rng), rng)}
        else:
            part = changed(part, random_place(part, rng), rng)
        if inside:
            content[text] = json.dumps(part, default=lambda value: "tensor")
        else:
            content = part
    return content


_watched = []


def _hear(event, arguments):
    for heard in _watched:
        if event in ("os.system", "subprocess.Popen", "socket.connect", "socket.getaddrinfo") or (
            event in ("open", "import", "exec") and PLANTED in str(arguments[0])[:300]
        ):
            heard.append((event, str(arguments)[:200]))


sys.addaudithook(_hear)


@contextmanager
def nothing_foreign(folder):
    """Fail where the block imports or opens what was planted, starts a process or calls the net."""
    (folder / f"{PLANTED}.py").write_text("def run(*args, **kwargs):\n    raise SystemExit\n")
    torch.save({"state_dict": {}}, folder / f"{PLANTED}.pth")
    heard = []
    sys.path.insert(0, str(folder))
    _watched.append(heard)
    try:
        yield
    finally:
        _watched.remove(heard)
        sys.path.remove(str(folder))
    assert heard == []
    assert PLANTED not in sys.modules
