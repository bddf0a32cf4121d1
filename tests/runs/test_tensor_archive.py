"""A file of tensors takes about its own size of memory, whatever it claims."""

import io
import pickle
import subprocess
import sys
import textwrap
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from rpc.data import DataError
from rpc.runs.tensor_files import read_tensors, weights_of

ROOT = Path(__file__).resolve().parents[2]
LAYOUTS = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8, torch.int64]


def equal(one, other):
    if isinstance(one, torch.Tensor):
        same = (one.dtype, one.shape, one.stride()) == (other.dtype, other.shape, other.stride())
        return same and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and all(map(equal, one, other))
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_torch_reads_is_read_alike(tmp_path, zipped, protocol):
    chance = torch.Generator().manual_seed(1)
    values = {kind: (torch.rand(3, 4, 5, generator=chance) * 9).to(kind) for kind in LAYOUTS}
    whole = torch.arange(24.0).reshape(4, 6)
    network = torch.nn.BatchNorm2d(3)
    content = {
        "kinds": {str(kind): value for kind, value in values.items()},
        "views": [whole, whole[1:3], whole.t(), whole],
        "last": values[torch.float32].to(memory_format=torch.contiguous_format).permute(2, 0, 1),
        "empty": torch.zeros(0, 4),
        "flag": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "state": network.state_dict(),
        "plain": [None, True, 2, -(2**70), 0.5, float("inf"), "ä", (1, "b"), OrderedDict(c=1)],
        3: {"betas": (0.9, 0.99)},
    }
    path = tmp_path / "a.pth"
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    found, expected = read_tensors(path), torch.load(path, weights_only=protocol == 2)
    assert equal(found, expected)
    assert found["state"]._metadata == expected["state"]._metadata
    assert found["views"][0] is found["views"][3]


def test_the_files_of_the_package_are_read_alike():
    for path in sorted(Path("rpc/weights").glob("*.pth")):
        assert equal(read_tensors(path), torch.load(path, weights_only=True))


def repacked(path, compression=zipfile.ZIP_STORED, **changed):
    """The archive with some records replaced."""
    old = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name.rpartition("/")[2], old.read(name)))


class _Asks:
    """Pickled as the call of a function."""

    def __init__(self, function, *arguments):
        self.asked = function, arguments

    def __reduce__(self):
        return self.asked


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value, value]
    return value


BOMBS = {
    "expanded": (lambda: {"a": torch.zeros(1).expand(50_000, 30_000)}, "claims 50000x30000"),
    "million": (lambda: {"a": torch.zeros(1).expand(10**6, 10**6)}, "claims 1000000x1000000"),
    "often": (
        lambda: (
            {str(n): torch.zeros(10**5)[None].expand(1, 10**5) for n in range(9)}
            | {f"v{n}": WHOLE[n:] for n in range(50)}
        ),
        "claims .* numbers",
    ),
    "bytes": (lambda: {"a": _Asks(bytearray, 10**10)}, "bytearray'"),
    "sparse": (lambda: {"a": torch.eye(3).to_sparse()}, "_rebuild_sparse_tensor"),
    "meta": (lambda: {"a": torch.empty(10**6, 10**5, device="meta")}, "refused|not a checkpoint"),
    "complex": (lambda: {"a": torch.zeros(2, dtype=torch.complex64)}, "'torch.Complex"),
    "laughs": (lambda: {"a": nested(60)}, "hold one another"),
    "deep": (lambda: {"a": deep(150)}, "too deep"),
    "names": (lambda: {"a": {(1, 2): 3}}, "neither text nor whole"),
    "set": (lambda: {"a": {1, 2}}, "refused"),
}
WHOLE = torch.zeros(10**5)


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_grow_in_memory_is_refused_in_one_line(tmp_path, name):
    make, told = BOMBS[name]
    torch.save(make(), tmp_path / "a.pth")
    with pytest.raises(DataError, match=told) as caught:
        read_tensors(tmp_path / "a.pth")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_list_that_holds_itself_is_refused(tmp_path):
    ring = []
    ring.append(ring)
    torch.save({"a": ring}, tmp_path / "a.pth")
    with pytest.raises(DataError, match="too deep"):
        read_tensors(tmp_path / "a.pth")


def test_a_compressed_archive_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    repacked(path, zipfile.ZIP_DEFLATED, **{"0": bytes(10**7)})
    assert path.stat().st_size < 20_000
    with pytest.raises(DataError, match="is compressed"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"0": bytes(8)}, "claims 1000 numbers, and the file holds 2"),
        ({"byteorder": b"big"}, "another processor"),
        ({"data.pkl": b"\x80\x02}q\x00."}, None),
        ({"data.pkl": b"\x80\x02K\x01."}, "it holds a int"),
        ({"data.pkl": b"\x80\x02}r\xff\xff\xff\x7f."}, None),
        ({"data.pkl": b"\x80\x05\x96" + b"\xff" * 7 + b"\x00."}, "not a checkpoint"),
        ({"data.pkl": b"cos\nsystem\n(S'true'\ntR."}, "'os.system'"),
        ({"data.pkl": b"}"}, "not a checkpoint"),
    ],
)
def test_records_that_were_tampered_with_are_refused(tmp_path, changed, told):
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    repacked(path, **changed)
    if told is None:
        assert read_tensors(path) == {}
        return
    with pytest.raises(DataError, match=told):
        read_tensors(path)


def test_bytes_that_were_tampered_with_are_refused_or_read(tmp_path):
    """No other error than the one that is told, whichever byte is wrong."""
    chance, path = torch.Generator().manual_seed(2), tmp_path / "a.pth"
    for zipped in (True, False):
        content = {"a": torch.arange(6.0), "b": [1, "c", None]}
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        good = path.read_bytes()
        for _ in range(200):
            bad = bytearray(good)
            place = int(torch.randint(len(bad), (1,), generator=chance))
            bad[place] = int(torch.randint(256, (1,), generator=chance))
            path.write_bytes(bad)
            with suppress(DataError):
                read_tensors(path)


def test_an_older_file_that_claims_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"a": torch.zeros(1000)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    path.write_bytes(data[:-4000])
    with pytest.raises(DataError, match="not a checkpoint"):
        read_tensors(path)
    path.write_bytes(data[:-4008] + (2**40).to_bytes(8, "little") + data[-4000:])
    with pytest.raises(DataError, match="not a checkpoint"):
        read_tensors(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(DataError, match="not a checkpoint"):
        read_tensors(path)


def test_memory_stays_near_the_size_of_the_file(tmp_path):
    """Good files of 40 MB and bombs of gigabytes, in a process that may take 150 MB more."""
    torch.save({"a": torch.zeros(10**7)}, tmp_path / "good.pth")
    for name in ("expanded", "bytes", "laughs"):
        torch.save(BOMBS[name][0](), tmp_path / f"{name}.pth")
    torch.save({"a": torch.zeros(4)}, tmp_path / "deflated.pth")
    repacked(tmp_path / "deflated.pth", zipfile.ZIP_DEFLATED, **{"0": bytes(3 * 10**8)})
    program = """
        import resource, sys
        from pathlib import Path
        from rpc.data import DataError
        from rpc.runs.tensor_files import read_tensors

        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 150_000_000,) * 2)
        for path in sorted(Path(sys.argv[1]).glob("*.pth")):
            try:
                print(path.stem, len(read_tensors(path)["a"]))
            except DataError as error:
                print(path.stem, "refused" in str(error))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    answers = dict(line.split() for line in done.stdout.splitlines())
    refused = dict.fromkeys(("bytes", "deflated", "expanded", "laughs"), "True")
    assert answers == {**refused, "good": "10000000"}, done.stderr


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "expected weights by name, got None"),
        ([1], "expected weights by name, got a value of type list"),
        ({"w": 5}, "'w': expected a tensor, got a value of type int"),
        ({3: torch.zeros(1)}, "3: expected a tensor"),
        ({"w": torch.tensor([1.0, float("nan")])}, "'w' holds numbers that are NaN"),
        ({"w": torch.tensor([float("inf")])}, "'w' holds numbers that are NaN or infinite"),
    ],
)
def test_weights_are_finite_tensors_by_name(value, told):
    with pytest.raises(DataError, match=rf"a\.pth: {told}"):
        weights_of(value, "a.pth")
    assert weights_of({"w": torch.ones(1)}, "a.pth").keys() == {"w"}
