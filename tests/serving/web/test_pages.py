"""The page in a real browser, at the real server: Node and Chromium are needed."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[3]
WEB = ROOT / "rpc/serving/web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="`npm ci` in rpc/serving/web"),
    pytest.mark.skipif(shutil.which("npx") is None, reason="needs Node"),
]
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


def npx(*arguments, url=None):
    """Run a tool of the page's sources; its last lines where it fails."""
    env = {**os.environ, "NO_COLOR": "1", "CHROMIUM": CHROMIUM or ""}
    env.pop("COUNTER_URL", None)
    if url is not None:
        env["COUNTER_URL"] = url
    done = subprocess.run(
        ["npx", *arguments], cwd=WEB, env=env, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    print(done.stdout)  # with -s: among other things, how long a correction took, and where


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def url(tmp_path):
    """A server with the example store, in a process of its own."""
    port = free_port()
    command = ["-m", "tests.serving.web.remembered_trays", "--port", str(port), "--data"]
    running = subprocess.Popen([sys.executable, *command, str(tmp_path / "counter")], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                with urlopen(f"{address}/healthz"):
                    break
            except OSError:
                assert running.poll() is None, "the server ended"
                time.sleep(0.5)
        yield address
    finally:
        running.terminate()
        running.wait(30)


def test_its_types_and_its_pure_parts_are_right():
    npx("tsc")
    npx("vitest", "run")


@in_a_browser
def test_a_cashier_counts_corrects_adds_and_sells_at_the_real_server(url):
    npx("vitest", "run", "--config", "vitest.browser.config.ts", "counter.test.ts", url=url)


@in_a_browser
def test_every_screen_is_accessible_and_fits_a_phone_a_tablet_and_a_kiosk(url):
    npx("vitest", "run", "--config", "vitest.browser.config.ts", "looks.test.ts", url=url)


@in_a_browser
def test_lost_answers_keys_and_refused_cameras():
    npx("vitest", "run", "--config", "vitest.browser.config.ts", "lost.test.ts")
