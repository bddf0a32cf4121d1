"""Serve a counter: a page in the browser and an interface for tills, on this machine.

`rpc-checkout serve keys add|list|revoke` keeps the keys that others need.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say, warn

if TYPE_CHECKING:
    from rpc.camera import Frame
    from rpc.serving.database.database import Database
    from rpc.serving.server import CounterServer
    from rpc.structures.readings import ReadsPacks

DATA: Final = Path("counter")


def main(argv: list[str] | None = None) -> int:
    """Serve, or keep keys."""
    args = parser().parse_args(argv)
    do: Callable[[argparse.Namespace], int] = args.do
    return do(args)


def serve(args: argparse.Namespace) -> int:
    """Load the counter, open its folder, answer until somebody stops it."""
    from rpc.runs.folder_lock import writing_folder
    from rpc.serving.security.doorkeeper import is_loopback

    with ExitStack() as held:
        if args.data is None and args.demo:
            temporary = tempfile.TemporaryDirectory(prefix="rpc-checkout-demo-")
            args.data = Path(held.enter_context(temporary))
        args.data = args.data or DATA
        held.enter_context(writing_folder(args.data))  # one server a folder
        loopback = is_loopback(args.host)
        database = _database(args.data)
        held.callback(database.close)
        _require_keys(args, database, loopback=loopback)
        parts = _server(args, database, loopback=loopback)
        return _answer(args, parts)


def add_key(args: argparse.Namespace) -> int:
    """Make a key and show it, this once."""
    secret = _keys(args).add(args.name, args.role)
    say(f"key of {args.name!r}, role {args.role}; it is shown this once:")
    say(secret)
    return 0


def list_keys(args: argparse.Namespace) -> int:
    """Show the names of all keys."""
    keys = _keys(args).list()
    for key in keys:
        end = f", revoked {key.revoked_at[:10]}" if key.revoked_at else ""
        say(f"{key.name}  {key.role}, made {key.created_at[:10]}{end}")
    if not keys:
        say("no keys: the counter is open to this machine alone")
    return 0


def revoke_key(args: argparse.Namespace) -> int:
    """Make a key useless."""
    _keys(args).revoke(args.name)
    say(f"key of {args.name!r}: revoked")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    _add_serving_options(made)
    made.set_defaults(do=serve)
    groups = made.add_subparsers(metavar="[keys]")
    keys = groups.add_parser("keys", help="make, list and revoke keys")
    verbs = keys.add_subparsers(required=True, metavar="add|list|revoke")
    for name, do in (("add", add_key), ("list", list_keys), ("revoke", revoke_key)):
        one = verbs.add_parser(name, help=(do.__doc__ or "").rstrip("."))
        if name != "list":
            one.add_argument("name", metavar="NAME", help="of the key: a person, or a till")
        if name == "add":
            one.add_argument(
                "--role",
                choices=("till", "manager"),
                default="till",
                help="a manager may do everything (default: till)",
            )
        one.add_argument(
            "--data",
            type=Path,
            default=DATA,
            metavar="DIR",
            help="of the counter (default: counter)",
        )
        one.set_defaults(do=do)
    return made


def _add_serving_options(made: argparse.ArgumentParser) -> None:
    option = made.add_argument
    option("--model", type=Path, help="model file, or exported folder (default: the shipped one)")
    option("--gallery", type=Path, metavar="DIR", help="names by exemplars; products can be added")
    option("--fusion", action="store_true", help="ask the model's own recogniser as well")
    option("--data", type=Path, metavar="DIR", help=f"everything that is kept (default: {DATA})")
    option("--products", type=Path, metavar="CSV", help="products to bring in: sku,title,price,ean")
    option("--camera", metavar="SOURCE", help="at the server: 0, rtsp://..., a video, a folder")
    option("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    option("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
    option("--https", action="store_true", help="with a certificate of its own making")
    option("--certificate", type=Path, metavar="PEM", help="for https; needs --certificate-key")
    option("--certificate-key", type=Path, metavar="PEM", help="of the certificate")
    option("--keep-days", type=int, default=30, metavar="N", help="keep pictures (default: 30)")
    option("--currency", default="EUR", metavar="CODE", help="of prices (default: %(default)s)")
    option("--till", default="till 1", metavar="NAME", help="of this counter (default: till 1)")
    option("--shop", default="Shop", metavar="NAME", help="shown on the page (default: Shop)")
    option("--no-words", dest="words", action="store_false", help="do not read words on packs")
    option(
        "--no-pictures",
        dest="pictures",
        action="store_false",
        help="do not compare doubtful items with exemplar pictures",
    )
    option("--demo", action="store_true", help="the shipped products, example prices and trays")
    add_device_option(made)


def _database(folder: Path) -> Database:
    from rpc.serving.database.database import URL, Database

    address = os.environ.get(URL)
    return Database(address) if address else Database.in_folder(folder)


def _keys(args: argparse.Namespace) -> Any:
    from rpc.serving.security.keys import Keys

    return Keys(_database(args.data))


def _require_keys(args: argparse.Namespace, database: Database, *, loopback: bool) -> None:
    from rpc.data.files import DataError
    from rpc.serving.security.keys import Keys

    if not loopback and not Keys(database).any():
        raise DataError(
            f"--host {args.host}: others can reach it, and no key was made; first: "
            f"rpc-checkout serve keys add NAME --role manager --data {args.data}"
        )


def _server(args: argparse.Namespace, database: Database, *, loopback: bool) -> CounterServer:
    """The counter's parts."""
    from rpc.checkout.loading import EXPORTED, load
    from rpc.data.files import DataError
    from rpc.data.shipped import shipped
    from rpc.serving.demo import demo_gallery
    from rpc.serving.server import CounterServer
    from rpc.serving.settings import ServingSettings

    settings = ServingSettings(
        args.data,
        shop=args.shop,
        till=args.till,
        currency=args.currency,
        keep_days=args.keep_days,
        loopback=loopback,
        https=args.https or args.certificate is not None,
        demo=args.demo,
    )

    if args.demo and args.model is None and args.gallery is None:
        args.model, args.gallery, args.fusion = shipped(EXPORTED), demo_gallery(args.data), True

    def counter() -> Any:
        return load(
            args.model,
            args.gallery,
            device=args.device,
            fusion=args.fusion,
            words=args.words,
            pictures=args.pictures,
        )

    gallery = None
    if args.gallery is not None:
        from rpc.pipelines.gallery.live import LiveGallery

        gallery = LiveGallery(args.gallery, counter, _reader(args))
    loaded = counter() if gallery is None else gallery.counter
    for note in loaded.notes:
        warn(note)
    if loaded.rule is None:
        raise DataError(f"{loaded.name}: holds no counting rule; train it with val trays")
    parts = CounterServer(settings, database, loaded, gallery, _camera(args))
    _bring_in_products(args, parts)
    return parts


def _reader(args: argparse.Namespace) -> Callable[[], ReadsPacks] | None:
    """The way to a reader of packs; None where words are not wanted, or cannot be read here."""
    from rpc.features.text.installed import missing_reader

    if not args.words or missing_reader():
        return None
    from rpc.features.text.pack_reader import PackReader

    return PackReader


def _camera(args: argparse.Namespace) -> Callable[[], Iterator[Frame]] | None:
    """The way to the camera that is asked for."""
    from rpc.camera import frames_of
    from rpc.serving.demo import HOLD_S, demo_camera

    if args.camera is None:
        return demo_camera if args.demo else None
    source: str = args.camera
    return lambda: frames_of(source, hold_s=HOLD_S, paced=True, loop=True)


def _bring_in_products(args: argparse.Namespace, parts: CounterServer) -> None:
    from rpc.data.files import DataError
    from rpc.serving.demo import price_demo
    from rpc.serving.products.catalogue_csv import read_catalogue

    parts.products.learn_of(parts.thread.counter.taxonomy, parts.own)
    if args.demo:
        price_demo(parts.products, parts.own)
    if args.products is not None:
        try:
            data = args.products.read_bytes()
        except OSError as error:
            raise DataError(f"{args.products}: cannot be read: {error.strerror}") from error
        try:
            found = read_catalogue(data, parts.products.all())
        except DataError as error:
            raise DataError(f"{args.products}: {error}") from error
        parts.products.bring_in(found, parts.own)


def _answer(args: argparse.Namespace, parts: CounterServer) -> int:
    """Answer requests until somebody stops it."""
    import uvicorn

    from rpc.serving.app import create_app

    certificate, key = _certificate(args)
    scheme = "http" if certificate is None else "https"
    host = f"[{args.host}]" if ":" in args.host else args.host
    say(f"the counter is at {scheme}://{host}:{args.port} (stop it with Ctrl-C)")
    uvicorn.run(
        create_app(parts),
        host=args.host,
        port=args.port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,  # a browser sends a request again that meets a closed connection
    )
    return 0


def _certificate(args: argparse.Namespace) -> tuple[Path | None, Path | None]:
    from rpc.data.files import DataError
    from rpc.serving.security.certificate import own_certificate
    from rpc.serving.times import utc_now

    if (args.certificate is None) != (args.certificate_key is None):
        raise DataError("--certificate and --certificate-key: expected both or none")
    if args.certificate is not None:
        for path in (args.certificate, args.certificate_key):
            if not path.is_file():
                raise DataError(f"{path}: no such file; expected a certificate or key (PEM)")
        return args.certificate, args.certificate_key
    return own_certificate(args.data, args.host, utc_now()) if args.https else (None, None)
