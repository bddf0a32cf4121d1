"""Folders of photos as people have them: which folder is a SKU, and what else lies around."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from rpc.data.files import DataError
from rpc.data.photo_files import LeftOut, number_of, scan_photos
from rpc.data.shown_names import is_text, same_name_key, shown_name, title_of
from rpc.data.system_files import is_system_folder

SkuFolders = Literal["outer", "inner"]

EXPECTED: Final = "a folder with one folder of photos for each SKU: PHOTOS/<sku>/*.jpg"
SPLITS: Final = frozenset(
    "train training val valid validation test testing eval dev holdout".split()
)
# A single folder of such a name is no product.
PLAIN: Final = frozenset("images image imgs img photos photo pictures jpegimages jpegs jpg".split())
OUTSIDE: Final = "photo outside of the SKU folders"
SHOWN: Final = 3


@dataclass(frozen=True)
class SkuPhotos:
    """The photos of a SKU.

    Attributes:
        name: of the SKU: its folder's, accents composed.
        folders: where they lie: one, or one in each split.
        photos: their files.
    """

    name: str
    folders: tuple[Path, ...]
    photos: tuple[Path, ...]


@dataclass(frozen=True)
class PhotoLayout:
    """A folder of photos by SKU.

    Attributes:
        skus: in the order of their names.
        left_out: what is not taken.
        notes: lines on what was understood of the folders, for people.
    """

    skus: tuple[SkuPhotos, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


@dataclass
class _Folder:
    """A folder that holds photos at some depth."""

    path: Path
    photos: list[Path] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)

    @property
    def inner(self) -> list[_Folder]:
        return list(self.folders.values())

    def all_photos(self) -> Iterator[Path]:
        yield from self.photos
        for folder in self.inner:
            yield from folder.all_photos()

    def holders(self) -> Iterator[_Folder]:
        """The folders that hold photos themselves."""
        if self.photos:
            yield self
        for folder in self.inner:
            yield from folder.holders()


def find_sku_photos(
    root: str | Path, sku_folders: SkuFolders | None = None, follow_links: bool | None = None
) -> PhotoLayout:
    """The SKUs of a folder of photos, whatever is around their folders.

    One more folder around them, and `train`, `val`, `test` around them, are looked through. Photos
    in folders inside a SKU's are the SKU's.

    Args:
        root: the folder.
        sku_folders: where folders hold folders of photos and no photo: whether the outer or the
            inner ones are the SKUs. None recognises views of a SKU, whose names are the same in
            many SKUs, and refuses the rest.
        follow_links: see `rpc.data.photo_files.scan_photos`.

    Raises:
        DataError: no folder of photos for each SKU; a SKU without a photo; names that are no text
            or look the same; or nobody can say which folders are the SKUs.
    """
    root = Path(root)
    found = scan_photos(root, EXPECTED, recursive=True, follow_links=follow_links)
    notes: list[str] = []
    top = _unwrapped(_tree(root, found.photos), root, notes)
    if not top.folders:
        _refuse_flat(root, top.photos, found.left_out)
    parents = _parents(top, root, notes)
    skus = _skus(parents, root, sku_folders, notes)
    _refuse_plain(skus, root)
    _refuse_empty(parents, found.left_out)
    taken = {path for sku in skus for path in sku.photos}
    outside = [
        LeftOut(path, OUTSIDE, "move it into the folder of its SKU")
        for path in found.photos
        if path not in taken
    ]
    return PhotoLayout(tuple(skus), (*outside, *found.left_out), tuple(notes))


def _tree(root: Path, photos: Iterable[Path]) -> _Folder:
    top = _Folder(root)
    for path in photos:
        here = top
        for part in path.relative_to(root).parts[:-1]:
            here = here.folders.setdefault(part, _Folder(here.path / part))
        here.photos.append(path)
    return top


def _unwrapped(folder: _Folder, root: Path, notes: list[str]) -> _Folder:
    """The folder below which the SKUs lie: past single folders that hold folders alone."""
    while len(folder.folders) == 1 and not folder.inner[0].photos:
        folder = folder.inner[0]
        notes.append(f"the folders inside {_shown(folder.path, root)} are taken as the SKUs")
    return folder


def _parents(top: _Folder, root: Path, notes: list[str]) -> list[_Folder]:
    """The folders whose folders are SKUs: the top, or its splits.

    Raises:
        DataError: splits lie beside SKUs, or hold photos and no folder for each SKU.
    """
    splits = [folder for folder in top.inner if folder.path.name.lower() in SPLITS]
    around = [folder for folder in splits if not folder.photos]
    names = _listed(splits, root)
    if len(splits) == len(top.folders) >= 2 and len(around) < len(splits):
        raise DataError(
            f"{shown_name(root)}: {names} hold photos and no folder for each SKU; "
            f"expected {EXPECTED}"
        )
    if not around:
        return [top]
    if len(around) < len(top.folders):
        others = _listed([one for one in top.inner if one not in around], root)
        raise DataError(
            f"{shown_name(root)}: {_listed(around, root)} hold folders of photos, as the parts of "
            f"a data set do, and lie beside {others}; give one of them, such as "
            f"{shown_name(around[0].path)}"
        )
    notes.append(f"photos of {names} are joined by SKU")
    return [_unwrapped(folder, root, []) for folder in around]


def _skus(
    parents: list[_Folder], root: Path, wanted: SkuFolders | None, notes: list[str]
) -> list[SkuPhotos]:
    """The SKUs, by name.

    Raises:
        DataError: names that are no text or look the same, or nobody can say which are the SKUs.
    """
    outer = [folder for parent in parents for folder in parent.inner]
    inner = wanted == "inner"
    if wanted is None and len(outer) > 1 and not any(folder.photos for folder in outer):
        _refuse_doubtful(outer, root)
    found: dict[str, list[_Folder]] = {}
    for parent in parents:
        here: dict[str, _Folder] = {}
        for folder in parent.inner:
            for sku in folder.holders() if inner else [folder]:
                name = _name(sku.path, notes)
                if here.setdefault(name, sku) is not sku:
                    raise _alike(here[name].path, sku.path)
        for name, sku in here.items():
            found.setdefault(name, []).append(sku)
    keys: dict[str, str] = {}
    for name, folders in found.items():
        other = keys.setdefault(same_name_key(name), name)
        if other != name:
            raise _alike(found[other][0].path, folders[0].path)
    if not inner:
        _note_nested(outer, root, notes)
    return [
        SkuPhotos(name, tuple(one.path for one in folders), tuple(_photos(folders, inner)))
        for name, folders in sorted(found.items())
    ]


def _photos(folders: list[_Folder], inner: bool) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.photos if inner else folder.all_photos())


def _refuse_doubtful(outer: list[_Folder], root: Path) -> None:
    """Tell views of SKUs (the same names in each) from groups of SKUs."""
    times = Counter(name for folder in outer for name in {n.casefold() for n in folder.folders})
    if 2 * sum(count > 1 for count in times.values()) >= len(times):
        return
    first = outer[0].inner[0].path
    small, large = shown_name(first.name), shown_name(outer[0].path.name)
    raise DataError(
        f"{shown_name(root)}: {_listed(outer, root)} hold folders of photos, such as "
        f"{_shown(first, root)}, and no photo: add --sku-folders inner where {small} is a SKU, or "
        f"--sku-folders outer where {large} is one"
    )


def _note_nested(outer: list[_Folder], root: Path, notes: list[str]) -> None:
    nested = [folder for folder in outer if folder.folders]
    if nested:
        inside = _shown(nested[0].inner[0].path, root)
        notes.append(
            f"{number_of(len(nested), 'SKU')}: photos of the folders inside, such as {inside}, are "
            "taken as the SKU's"
        )


def _name(folder: Path, notes: list[str]) -> str:
    """A folder's name as a SKU's.

    Raises:
        DataError: it is no text, or nothing but blanks and control characters.
    """
    if not is_text(folder.name):
        raise DataError(f"{shown_name(folder)}: a name that is not UTF-8; rename the folder")
    name = title_of(folder.name)
    if not name:
        raise DataError(f"{shown_name(folder)}: a name without a letter; rename the folder")
    if same_name_key(folder.name) != same_name_key(name):
        notes.append(
            f"{shown_name(folder)}: the SKU is called {name!r}, without control characters"
        )
    return name


def _alike(one: Path, other: Path) -> DataError:
    return DataError(
        f"{shown_name(other)}: another folder, {shown_name(one)}, has a name that looks the same "
        "or differs in case alone; join or rename them"
    )


def _refuse_flat(root: Path, photos: list[Path], left_out: tuple[LeftOut, ...]) -> None:
    beside = sorted({f"{one.kind}s" for one in left_out if one.remedy})
    kinds = f" ({', '.join(beside)} were found)" if beside and not photos else ""
    empty = [p for p in root.iterdir() if p.is_dir() and not is_system_folder(p.name)]
    if photos:
        found = f"{number_of(len(photos), 'photo')} without a folder"
    elif empty:
        found = f"{number_of(len(empty), 'folder')} without a photo{kinds}"
    else:
        found = f"no folder and no photo{kinds}"
    raise DataError(
        f"{shown_name(root)}: holds {found}; expected one folder of photos for each SKU"
    )


def _refuse_plain(skus: list[SkuPhotos], root: Path) -> None:
    if len(skus) == 1 and skus[0].name.lower() in PLAIN | SPLITS:
        raise DataError(
            f"{shown_name(root)}: {_shown(skus[0].folders[0], root)} holds photos and no folder "
            f"for each SKU; expected {EXPECTED}"
        )


def _refuse_empty(parents: list[_Folder], left_out: tuple[LeftOut, ...]) -> None:
    """Refuse SKUs without a photo; folders that hold other files alone, such as labels, are none.

    Raises:
        DataError: a folder beside the SKUs' is empty, or its photos cannot be read here.
    """
    empty = []
    for parent in parents:
        for path in sorted(parent.path.iterdir()):
            if path.name in parent.folders or path.is_symlink() or not path.is_dir():
                continue
            if is_system_folder(path.name):
                continue
            inside = [one for one in left_out if path in one.path.parents]
            if not inside or any(one.remedy for one in inside):
                empty.append((path, inside))
    if empty:
        path, inside = empty[0]
        kinds = sorted({number_of(2, one.kind).split(" ", 1)[1] for one in inside if one.remedy})
        why = f" ({', '.join(kinds)} are not read)" if kinds else ""
        more = f", as do {len(empty) - 1} more" if len(empty) > 1 else ""
        raise DataError(
            f"{shown_name(path)}: the SKU has no readable photo at all{why}{more}; "
            "add one or remove the folder"
        )


def _listed(folders: list[_Folder], root: Path) -> str:
    names = [_shown(folder.path, root) for folder in folders[:SHOWN]]
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    return ", ".join(names) + more


def _shown(path: Path, root: Path) -> str:
    return shown_name(path.relative_to(root).as_posix())
