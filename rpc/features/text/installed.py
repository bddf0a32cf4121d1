"""Whether packs can be read here: the extra `words` is not needed for a count."""

from __future__ import annotations

from importlib.util import find_spec

from rpc.data.packages import EXTRAS, install_line


def missing_reader() -> str:
    """A line about what is not installed, and how to install it; empty where packs can be read."""
    missing = [name for name in (*EXTRAS["words"], "onnxruntime") if find_spec(name) is None]
    if not missing:
        return ""
    return f"words on packs are not read: no {' and no '.join(missing)}; {install_line('words')}"
