"""Makes the emulator's environment, starts it on loopback and stops it."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal.paths import EMULATOR

REQUIREMENTS: Final = ("ministack==1.5.33", "cryptography>=46,<60")
"""The embedded AWS, pinned, and what it makes keys with."""

_SERVE: Final = Path(__file__).with_name("serve.py")
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    process: subprocess.Popen[bytes]
    endpoint: str


def install() -> None:
    """Make the emulator's environment, on first use and when the requirements change."""
    EMULATOR.mkdir(exist_ok=True)
    folder = os.open(EMULATOR, os.O_RDONLY)
    try:
        # Workers of the tests come at the same time: one makes it, the others wait.
        fcntl.flock(folder, fcntl.LOCK_EX)
        stamp = EMULATOR / ".installed"
        wanted = "\n".join((*REQUIREMENTS, sys.version, str(EMULATOR)))
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            _make_environment()
            stamp.write_text(wanted, encoding="utf-8")
    finally:
        os.close(folder)


def _make_environment() -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", EMULATOR], check=True)
    python = str(EMULATOR / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*pip, *REQUIREMENTS], check=True)


@contextmanager
def running(folder: Path, *, mended: bool = True, keep: bool = False) -> Iterator[Emulator]:
    """An emulator without any state, that answers; it is stopped however the block ends.

    Args:
        folder: where it may write its log and its temporary files.
        mended: False starts it as it is, for the test that holds the mends.
        keep: True leaves it running when the block comes to its end, not when it fails.

    Raises:
        RuntimeError: it ended, or did not answer in a minute. The message has its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    log = folder / "emulator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [EMULATOR / "bin" / "python", "-I", _SERVE, *([] if mended else ["--unmended"])],
            env=_environment(folder, port),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the rehearsal, which stops the emulator last.
            start_new_session=True,
        )
    emulator = Emulator(process, f"http://127.0.0.1:{port}")
    ended_well = False
    try:
        _wait_until_it_answers(emulator, log)
        yield emulator
        ended_well = True
    finally:
        if not (keep and ended_well):
            _stop(process)


def _environment(folder: Path, port: int) -> dict[str, str]:
    """All that it gets to know: an AWS_ACCESS_KEY_ID that it inherits would be a root."""
    return {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "PATH": os.defpath,
        "TMPDIR": str(folder),
        # It looks for containers of its own to remove; here it finds no Docker.
        "DOCKER_HOST": f"unix://{folder}/no-docker",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(emulator: Emulator, log: Path) -> None:
    health = f"{emulator.endpoint}/_ministack/health"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and emulator.process.poll() is None:
        with suppress(OSError), direct.open(health, timeout=5):
            return
        time.sleep(0.02)
    raise RuntimeError(f"The emulator did not start:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
