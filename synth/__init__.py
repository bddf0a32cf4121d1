"""synth: exemplar photos to checkout scenes (cut-outs, then composed scenes, 'Syn').

`synth.compose_scene` composes one scene in memory; the other functions are in the packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth.compose.scene import compose_scene

__all__ = ["compose_scene"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import synth` alone loads nothing."""
    if name == "compose_scene":
        from synth.compose.scene import compose_scene

        globals()[name] = compose_scene
        return compose_scene
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
