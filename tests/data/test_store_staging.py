import pytest

from rpc.data.files import DataError
from rpc.data.store_staging import STAGING, staging


def fill(folder):
    (folder / "exemplars").mkdir()
    (folder / "exemplars/1.jpg").write_bytes(b"x")
    (folder / "import.json").write_text("{}")
    (folder / "instances_train.json").write_text("{}")


def test_all_appears_together_beside_what_was_there(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with staging(tmp_path) as folder:
        fill(folder)
        assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == ["notes.txt"]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["exemplars", "import.json", "instances_train.json", "notes.txt"]


def test_what_fails_leaves_nothing_and_names_the_places_meant(tmp_path):
    out = tmp_path / "new"

    def fail(folder):
        fill(folder)
        raise DataError(f"{folder}/exemplars: no")

    with pytest.raises(DataError, match=rf"^{out}/exemplars: no$"), staging(out) as folder:
        fail(folder)
    assert not out.exists()


@pytest.mark.parametrize("stop", range(3))
def test_a_kill_at_any_rename_is_put_in_order_by_the_next_job(tmp_path, monkeypatch, stop):
    moved = []
    rename = type(tmp_path).rename

    def killed(self, target):
        if len(moved) == stop:
            raise SystemError("killed")
        moved.append(self)
        return rename(self, target)

    def stays(*_, **__):
        return None

    monkeypatch.setattr(type(tmp_path), "rename", killed)
    monkeypatch.setattr("rpc.data.store_staging._remove_killed", stays)
    with pytest.raises(SystemError), staging(tmp_path) as folder:
        fill(folder)
    monkeypatch.undo()
    (tmp_path / "val").mkdir()  # by the user, since then
    assert (tmp_path / STAGING).exists()
    with pytest.raises(DataError, match="holds val already"), staging(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["val"]


def test_nothing_is_removed_where_the_staging_folder_is_a_link(tmp_path):
    victim, out = tmp_path / "victim", tmp_path / "out"
    (out / "exemplars").mkdir(parents=True)
    (out / "exemplars" / "mine.jpg").write_bytes(b"mine")
    victim.mkdir()
    (victim / "moving.txt").write_text("exemplars")
    (out / STAGING).symlink_to(victim)
    with pytest.raises(DataError, match="is a link; remove it"), staging(out):
        pytest.fail("the work began")
    assert (out / "exemplars" / "mine.jpg").is_file()
    assert (victim / "moving.txt").is_file()
