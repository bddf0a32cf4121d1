"""Trays from a camera: frames, when a tray lies still and no hand is in the picture, its list."""

from rpc.camera.frames import Frame, frames_of
from rpc.camera.joining import join_looks
from rpc.camera.reading import ReadTray, TrayStep, read_steps, read_trays
from rpc.camera.settings import WatchSettings
from rpc.camera.states import TrayState
from rpc.camera.watcher import TrayWatcher, WatchStep

__all__ = [
    "Frame",
    "ReadTray",
    "TrayState",
    "TrayStep",
    "TrayWatcher",
    "WatchSettings",
    "WatchStep",
    "frames_of",
    "join_looks",
    "read_steps",
    "read_trays",
]
