import pytest
from PIL import Image

from rpc.data.files import DataError
from rpc.data.readable_photos import require_readable


def test_all_damaged_photos_are_told_before_the_work(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        Image.effect_noise((40, 40), 60).save(path)
    require_readable(paths)
    for path in paths[1:4]:
        path.write_bytes(b"")
    paths[4].write_bytes(paths[0].read_bytes()[:500])
    with pytest.raises(DataError) as caught:
        require_readable(paths, "tray photos")
    told = str(caught.value)
    assert told.startswith(f"4 of 5 tray photos cannot be used: {tmp_path}/4.png: the image is ")
    assert "3 photos: the file is empty, such as" in told
    assert "\n" not in told
