import pytest

from rpc.data.files import DataError


@pytest.fixture
def leave():
    from rpc.cli import leave

    return leave


def fails_with(error):
    def main(argv):
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataError("x.json: broken\nat line 3"), 2, "error: x.json: broken at line 3"),
        (ValueError(), 2, "error: ValueError"),
        (FileNotFoundError(2, "No such file", "a.pth"), 2, "error: a.pth: No such file"),
        (KeyboardInterrupt(), 130, "stopped; run the same command again to go on"),
    ],
)
def test_an_expected_error_is_one_line_and_a_code(leave, capsys, monkeypatch, error, code, line):
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as left:
        leave.run(fails_with(error))
    assert left.value.code == code
    assert capsys.readouterr().err == f"{line}\n"


def test_the_code_of_main_is_the_code_of_the_process(leave):
    with pytest.raises(SystemExit) as left:
        leave.run(lambda argv: 1)
    assert left.value.code == 1


def test_a_fault_of_ours_keeps_its_traceback(leave):
    with pytest.raises(ZeroDivisionError):
        leave.run(fails_with(ZeroDivisionError()))


def test_the_traceback_can_be_asked_for(leave, monkeypatch):
    monkeypatch.setenv("RPC_TRACEBACK", "1")
    with pytest.raises(DataError):
        leave.run(fails_with(DataError("x")))


def test_a_server_without_a_screen_is_told_the_remedy(leave, capsys):
    missing = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
    with pytest.raises(SystemExit) as left:
        leave.run(fails_with(missing))
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "libGL.so.1" in line
    assert "opencv-python-headless" in line


def test_another_missing_import_is_a_fault_of_ours(leave):
    with pytest.raises(ImportError, match="somewhere"):
        leave.run(fails_with(ImportError("no module named somewhere")))
