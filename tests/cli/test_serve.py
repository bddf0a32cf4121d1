"""`rpc-checkout serve` and its keys, up to the moment where it would listen."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from rpc.cli import serve
from rpc.data.files import DataError
from rpc.serving.database.database import Database
from rpc.serving.security.certificate import own_certificate
from rpc.serving.security.keys import Keys

ROOT = Path(__file__).parents[2]


def test_keys_are_made_listed_and_revoked(tmp_path, capsys):
    words = ["--data", str(tmp_path)]
    assert serve.main(["keys", "list", *words]) == 0
    assert "no keys" in capsys.readouterr().out
    assert serve.main(["keys", "add", "till 2", *words]) == 0
    secret = capsys.readouterr().out.splitlines()[-1]
    assert Keys(Database.in_folder(tmp_path)).find(secret).role == "till"
    assert serve.main(["keys", "add", "boss", "--role", "manager", *words]) == 0
    with pytest.raises(DataError, match="there is one of this name"):
        serve.main(["keys", "add", "boss", *words])
    assert serve.main(["keys", "revoke", "till 2", *words]) == 0
    capsys.readouterr()
    serve.main(["keys", "list", *words])
    assert "till 2  till, made " in (shown := capsys.readouterr().out)
    assert ", revoked " in shown
    assert secret not in shown


def test_another_address_without_keys_is_refused_in_one_line_before_anything_is_loaded(tmp_path):
    with pytest.raises(DataError, match="no key was made") as caught:
        serve.main(["--host", "0.0.0.0", "--data", str(tmp_path), "--model", "missing.pth"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "0"], "--port"),
        (["--keep-days", "0"], "--keep-days"),
        (["--currency", "euro"], "currency"),
        (["--shop", ""], "shop"),
    ],
)
def test_options_of_no_use_are_refused(tmp_path, words, told):
    with pytest.raises(DataError, match=told):
        serve.main([*words, "--data", str(tmp_path)])


def test_one_server_a_folder(tmp_path):
    from rpc.runs.folder_lock import writing_folder

    held = [sys.executable, "-m", "rpc.cli", "serve", "--data", str(tmp_path), "--model", "none"]
    with writing_folder(tmp_path):
        done = subprocess.run(held, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_certificate_is_made_kept_and_renewed(tmp_path):
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    certificate, key = own_certificate(tmp_path, "192.168.0.7", now)
    first = certificate.read_bytes()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    assert key.stat().st_mode & 0o077 == 0 or os.name == "nt"
    own_certificate(tmp_path, "192.168.0.7", now + timedelta(days=300))
    assert certificate.read_bytes() == first
    own_certificate(tmp_path, "10.0.0.1", now)
    second = certificate.read_bytes()
    assert second != first
    own_certificate(tmp_path, "10.0.0.1", now + timedelta(days=380))
    assert certificate.read_bytes() != second


@pytest.mark.slow
def test_the_demonstration_sells_a_priced_tray_and_stops_when_asked(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "rpc.cli", "serve", "--demo", "--port", str(port)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            sale = _first_sale(port, process)
            can_add = _asked(port, "/v1/settings")["can_add_products"]
            shown = _asked(port, "/v1/products")["products"]
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
    assert code in (0, 130)
    assert sale["total_cents"] > 0
    assert sale["unpriced"] == 0
    assert can_add is True
    assert {one["photos"] for one in shown} == {8}
    assert list(tmp_path.iterdir()) == []


def _first_sale(port, process):
    """The first sale of the example camera's trays."""
    end = time.monotonic() + 300
    while time.monotonic() < end and process.poll() is None:
        time.sleep(0.5)
        try:
            found = _asked(port, "/v1/sales")["sales"]
        except OSError:
            continue
        if found:
            return found[0]
    raise AssertionError("no sale came")


def _asked(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
