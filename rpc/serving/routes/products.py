"""Products and the gallery."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response

from rpc.data.files import DataError
from rpc.serving.errors import ApiError, not_found
from rpc.serving.products.catalogue_csv import read_catalogue, write_catalogue
from rpc.serving.products.products import Product, product_to_dict, search, sku_of_title
from rpc.serving.routes.answers import (
    ERRORS,
    JPEG,
    NO_JSON,
    Csv,
    GalleryAnswer,
    Jpeg,
    PhotosAdded,
    ProductAnswer,
    ProductList,
    ProductsImported,
)
from rpc.serving.routes.bodies import (
    CSV,
    PHOTOS,
    Manager,
    NewProduct,
    ProductChange,
    Server,
    Till,
    photo_files,
    raw_body,
)
from rpc.serving.routes.counting import attachment
from rpc.serving.security.doorkeeper import needs
from rpc.serving.server import CounterServer

router = APIRouter(tags=["products"], responses=ERRORS)
Files = Annotated[list[tuple[str, bytes]], Depends(photo_files)]
Raw = Annotated[bytes, Depends(raw_body)]


@router.get("/v1/products", response_model=ProductList)
def products(
    caller: Till,
    server: Server,
    query: Annotated[str, Query(max_length=200)] = "",
    retired: bool = False,
) -> dict[str, Any]:
    """Products by title; or those that a person may mean, best first."""
    known = [one for one in server.products.all().values() if retired or not one.retired]
    return {"products": _told(server, search(known, query))}


@router.post("/v1/products", status_code=201, response_model=ProductAnswer)
def add_product(caller: Manager, server: Server, body: NewProduct) -> dict[str, Any]:
    """A new product; its SKU is made of the title where none is given."""
    sku = body.sku or sku_of_title(body.title, server.products.all())
    product = _checked(sku, body.title, body.price_cents, body.ean or None)
    return _told(server, [server.products.add(product, caller.who)])[0]


@router.get(
    "/v1/products.csv",
    response_class=Csv,
    responses=NO_JSON,
    dependencies=[Depends(needs("till"))],
)
def products_as_csv(server: Server) -> Response:
    """All products as CSV: sku, title, price, ean, retired."""
    text = write_catalogue(server.products.all().values())
    return Csv(text, headers=attachment("products.csv"))


@router.post("/v1/products.csv", openapi_extra=CSV, response_model=ProductsImported)
def import_products(caller: Manager, server: Server, body: Raw) -> dict[str, int]:
    """Products of CSV, all or none."""
    try:
        found = read_catalogue(body, server.products.all())
    except DataError as error:
        raise ApiError(422, "csv_wrong", str(error)) from error
    return server.products.bring_in(found, caller.who)


@router.post("/v1/products/{sku:path}/photos", openapi_extra=PHOTOS, response_model=PhotosAdded)
def add_photos(caller: Manager, server: Server, sku: str, files: Files) -> dict[str, Any]:
    """Put photos of a product into the gallery; the next tray may hold it."""
    product = server.products.get(sku)
    return server.gallery.add(product.sku, product.title, files, caller.who)


@router.get(
    "/v1/products/{sku:path}/photo",
    response_class=Jpeg,
    responses=JPEG,
    dependencies=[Depends(needs("till"))],
)
def product_photo(server: Server, sku: str) -> Response:
    """A small JPEG of a product."""
    data = server.thumbnail(server.products.get(sku).sku)
    if data is None:
        raise not_found(f"SKU {sku!r:.80}: has no photo")
    return Jpeg(data, headers={"cache-control": "private, max-age=60"})


@router.get("/v1/products/{sku:path}", response_model=ProductAnswer)
def product(caller: Till, server: Server, sku: str) -> dict[str, Any]:
    """A product."""
    return _told(server, [server.products.get(sku)])[0]


@router.patch("/v1/products/{sku:path}", response_model=ProductAnswer)
def change_product(
    caller: Manager, server: Server, sku: str, body: ProductChange
) -> dict[str, Any]:
    """A product with other values; sales that are counted keep theirs."""
    try:
        changed = server.products.change(sku, body.values(), caller.who)
    except ValueError as error:
        raise ApiError(422, "invalid", str(error)) from error
    return _told(server, [changed])[0]


@router.get("/v1/gallery", response_model=GalleryAnswer)
def gallery(caller: Manager, server: Server) -> dict[str, Any]:
    """The contents of the gallery, and what entered it from accepted sales."""
    return server.gallery.info()


@router.post("/v1/gallery/undo", response_model=GalleryAnswer)
def undo_gallery(caller: Manager, server: Server) -> dict[str, Any]:
    """Take the last change of the gallery back."""
    return server.gallery.undo(caller.who)


def _checked(sku: str, title: str, price_cents: int | None, ean: str | None) -> Product:
    try:
        return Product(sku, title, price_cents, ean)
    except ValueError as error:
        raise ApiError(422, "invalid", str(error)) from error


def _told(server: CounterServer, products: list[Product]) -> list[dict[str, Any]]:
    """Products with what the counter and the gallery know about them."""
    names = set(server.thread.counter.taxonomy.names)
    teaches = server.gallery.gallery
    photos = {} if teaches is None else teaches.photos()
    return [
        {
            **product_to_dict(one),
            "in_model": one.sku in names,
            "photos": photos.get(one.sku, 0),
            "photo": photo_url(one.sku) if one.sku in photos else None,
        }
        for one in products
    ]


def photo_url(sku: str) -> str:
    """The address of a product's thumbnail."""
    return f"/v1/products/{quote(sku, safe='')}/photo"
