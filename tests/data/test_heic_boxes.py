import subprocess
import sys
from pathlib import Path

import pytest

from rpc.data.files import DataError
from rpc.data.heic_boxes import is_sound_heic
from rpc.data.images import read_photo
from tests.data.heic_photo import PLAIN, TURNED

ROOT = Path(__file__).parents[2]


def damaged():
    at = TURNED.index(b"infe", TURNED.index(b"infe") + 1)
    kind = TURNED.index(b"Exif", at)
    return TURNED[:kind] + b"E\xc8\x32\x00" + TURNED[kind + 4 :]


def test_whole_photos_are_sound():
    assert is_sound_heic(PLAIN)
    assert is_sound_heic(TURNED)
    assert not is_sound_heic(damaged())


def test_items_that_would_crash_the_decoder_are_refused():
    pytest.importorskip("pi_heif")
    with pytest.raises(DataError, match="photo: a HEIC photo that cannot be decoded"):
        read_photo(damaged())


def test_damaged_photos_do_not_end_the_process():
    """Half a thousand damaged files, in a process of their own."""
    pytest.importorskip("pi_heif")
    code = (
        "import random\n"
        "from rpc.data.files import DataError\n"
        "from rpc.data.images import read_photo\n"
        "from tests.data.heic_photo import PLAIN, TURNED\n"
        "rng = random.Random(0)\n"
        "for number in range(500):\n"
        "    data = bytearray(rng.choice((PLAIN, TURNED)))\n"
        "    for _ in range(rng.choice((1, 2, 8))):\n"
        "        data[rng.randrange(24, len(data))] = rng.randrange(256)\n"
        "    try:\n"
        "        read_photo(bytes(data))\n"
        "    except DataError as error:\n"
        "        assert '\\n' not in str(error)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
