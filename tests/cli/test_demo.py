"""`fullcircle demo`: the whole circle in under a minute, on data of its own, and then a stage to play on."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx

from tests.support.command import COMMAND, environment, fullcircle, running
from tests.support.ports import free_port

TOLD = [
    r"complain in public",
    r"linked: #1 is still open",
    r"suggested +#1, because it shares ",
    r"2 people wait for #1",
    r"fixed: closed, but no release contains [0-9a-f]{7} yet",
    r"contained +[0-9a-f]{7} contained in v2\.4\.1",
    r"shipped: v2\.4\.1 contains [0-9a-f]{7}",
    r"Acme says +@ana .*v2\.4\.1",
    r"Acme says +@ben .*v2\.4\.1",
    r"verified: the customer says",
    r"seen → tagged → linked → fixed → shipped → told → verified",
    r"linked again: still broken for this customer; #1 was told",
]


def in_order(patterns: list[str], text: str) -> None:
    at = 0
    for pattern in patterns:
        found = re.compile(pattern).search(text, at)
        assert found, f"{pattern!r} is not told (any more) in\n{text}"
        at = found.end()


def test_the_circle_goes_round_in_under_a_minute_and_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = environment(tmp_path, port=free_port(), database_url="postgresql://nobody@127.0.0.1:1/production")
    del settings["FULLCIRCLE_DATA_DIR"]
    settings["TMPDIR"] = str(tmp_path)
    began = time.monotonic()
    done = subprocess.run(
        [*COMMAND, "demo", "--exit"],
        env=settings,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert time.monotonic() - began < 60
    in_order(TOLD, done.stdout)
    assert "\x1b" not in done.stdout, "plain lines where nobody watches"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == [], "its folder is gone"


def test_it_stays_open_to_play_on_until_it_is_ended(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "demo", port=port) as demo:
        demo.until(lambda: "Ctrl-C" in demo.out, seconds=60)
        in_order([*TOLD, "Play on"], demo.out)
        pages = re.findall(r"http://127\.0\.0\.1:\d+/\S+", demo.out.partition("Play on")[2])
        assert len(pages) == 3
        for page in pages:
            assert httpx.get(page, trust_env=False).status_code == 200, page
        assert "still broken" in httpx.get(pages[1], trust_env=False).text, "the board shows what engineers were told"
        assert demo.end(signal.SIGINT) == 0
        assert "Traceback" not in demo.err
    assert (tmp_path / "data" / "demo.db").exists()
    assert not (tmp_path / "data" / "fullcircle.db").exists(), "an installation in that folder is left alone"

    again = fullcircle(tmp_path, "demo", "--exit", port=port)
    assert again.returncode == 0, again.stderr
    assert "/rehearsal/demo-2" in again.stdout


def test_a_terminal_gets_colours_and_something_that_moves(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    settings = {**environment(tmp_path, port=free_port()), "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(
        [*COMMAND, "demo", "--exit"], env=settings, cwd=tmp_path, stdout=theirs, stderr=theirs
    ) as demo:
        os.close(theirs)
        written = b""
        while part := _read(ours):
            written += part
        assert demo.wait(timeout=60) == 0, written.decode(errors="replace")
    os.close(ours)
    text = written.decode(errors="replace")
    assert "\x1b[" in text
    assert "Full circle in" in text


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:  # the other end was closed
        return b""
