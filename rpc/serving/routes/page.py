"""The page in the browser, from files that came with the package, and the page of the interface.

All files are read when the server starts: no path of a request reaches the disk.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response

from rpc.serving.errors import not_found
from rpc.serving.routes.api_page import api_page

NOT_BUILT = (
    b"<!doctype html><html lang=en><title>Counter</title><h1>The page was not built</h1>"
    b"<p>This installation lacks the page for the browser, which travels in the wheel. The "
    b"interface works: see <a href=/docs>its endpoints</a>.</p></html>"
)
HTML = "text/html; charset=utf-8"
TEXT = ("text/javascript", "text/css", "text/html", "image/svg+xml", "application/manifest+json")


@dataclass(frozen=True)
class PageFile:
    """A file of the page."""

    data: bytes
    kind: str
    etag: str


def page_files(folder: Path) -> dict[str, PageFile]:
    """The files of the page by their path in an address, such as `/assets/app.js`."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.name.startswith("."):
            found[f"/{path.relative_to(folder).as_posix()}"] = _file(path)
    if "/index.html" in found:
        found["/"] = found.pop("/index.html")
    else:
        found["/"] = PageFile(NOT_BUILT, HTML, _etag(NOT_BUILT))
    return found


def page_router(app: FastAPI, folder: Path) -> APIRouter:
    """The routes of the page; they come last, because they take what nobody else does."""
    router, files = APIRouter(include_in_schema=False), page_files(folder)

    @router.get("/docs")
    def docs() -> Response:
        return Response(api_page(app.openapi()), media_type=HTML)

    @router.get("/{path:path}")
    def page(request: Request, path: str) -> Response:
        found = files.get(f"/{path}")
        if found is None:
            raise not_found(f"{f'/{path}'!r:.80}: there is no such page")
        headers = {"etag": found.etag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.data, media_type=found.kind, headers=headers)

    return router


def _file(path: Path) -> PageFile:
    data = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":  # some systems' tables say otherwise, and then it is not run
        kind = "text/javascript"
    if path.suffix == ".webmanifest":
        kind = "application/manifest+json"
    return PageFile(data, f"{kind}; charset=utf-8" if kind in TEXT else kind, _etag(data))


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:24]}"'
