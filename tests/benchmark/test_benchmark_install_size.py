"""Each file of an environment is counted once, and told by what brings it."""

from tools.benchmark.install_size import sizes


def test_libraries_are_told_from_compiled_copies_and_from_what_each_environment_has(tmp_path):
    files = {
        "scipy/linalg.so": 2_000_000,
        "scipy/tests/test_linalg.py": 500_000,
        "scipy/__pycache__/linalg.pyc": 700_000,
        "scipy.libs/blas.so": 1_000_000,
        "small.py": 1_000,
        "pip/__init__.py": 900_000,
        "pip-24.0.dist-info/RECORD": 100_000,
    }
    for name, size in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"0" * size)
    (tmp_path / "again.so").symlink_to(tmp_path / "scipy.libs/blas.so")
    assert sizes(tmp_path) == {
        "runtime_mb": 3.5,
        "of_it_tests_of_libraries_mb": 0.5,
        "compiled_mb": 0.7,
        "pip_and_setuptools_mb": 1.0,
        "packages_mb": {"scipy": 3.5},
    }
