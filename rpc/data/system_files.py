"""Files and folders that systems and programs leave beside photos, by their names."""

from __future__ import annotations

from typing import Final

# Names are compared in lower case. Whatever begins with a dot is hidden on Unix and macOS, and is
# passed over without being listed here: .DS_Store, ._photo.jpg, .git, .ipynb_checkpoints, .Trashes,
# .dropbox.cache, .stfolder, .picasa.ini, .@__thumb, ...
_FILES: Final = frozenset(
    {
        # Windows
        "thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
        "autorun.inf", "hiberfil.sys", "pagefile.sys", "swapfile.sys", "ntuser.dat",
        # macOS: a folder's own icon
        "icon\r",
        # cameras' cards, viewers of photos
        "picasa.ini", "zbthumbnail.info", "pspbrwse.jbf", "acdsee.dbf", "imagedb.ddf",
        # copying and sharing
        "synctoy_id.dat", "dropbox.attr", "indexervolumeguid", "wpsettings.dat",
    }
)  # fmt: skip
_FOLDERS: Final = frozenset(
    {
        # Windows
        "$recycle.bin", "recycler", "recycled", "system volume information", "found.000",
        # macOS
        "__macosx", "network trash folder", "temporary items",
        # Synology, QNAP and other network disks
        "@eadir", "@tmp", "@appstore", "@database", "@sharebin", "@sharesnap", "#recycle",
        "#snapshot", "@recycle", "@recently-snapshot", "@transcode", "@__thumb", "@__qini",
        # Linux, versions, programming
        "lost+found", "cvs", "__pycache__", "node_modules", "_gsdata_",
    }
)  # fmt: skip
_ENDINGS: Final = ("~", ".tmp", ".temp", ".swp", ".swo", ".crswap")
_BEGINNINGS: Final = ("~$", ".~")


def is_system_file(name: str) -> bool:
    """Whether a file of this name is hidden, or a system's or a program's own: never a photo."""
    low = name.lower()
    return (
        name.startswith(".")
        or low in _FILES
        or low.endswith(_ENDINGS)
        or low.startswith(_BEGINNINGS)
    )


def is_system_folder(name: str) -> bool:
    """Whether a folder of this name is hidden, or a system's or a program's own: never a class."""
    return name.startswith(".") or name.lower() in _FOLDERS
