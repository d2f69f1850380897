"""Opens pages in a headless browser and says what was seen there, and what axe finds.

Browser and checker are tools of these tests, installed on first use, never shipped.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.simulator.once import install_once

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Visit:
    """One look at one file."""

    file: str
    width: int = 1100
    height: int = 900
    dark: bool = False
    javascript: bool = True
    media: str = "screen"
    """Or ``print``."""
    check: bool = False
    """Whether axe looks too. It needs JavaScript."""
    picture: str = ""
    """The file that gets a picture of the window."""
    paper: str = ""
    """The file that gets the page as it is printed."""


@dataclass(frozen=True)
class Seen:
    """What was seen."""

    title: str
    text: str
    elements: dict[str, int]
    """How many there are, by name."""
    links: list[str]
    """All that the page points at."""
    handlers: int
    """Elements with an attribute that is a script."""
    first_screen: list[str]
    """What is to be signed, as far as it is seen before anybody scrolls."""
    sideways: bool
    """Whether the page, with all that is folded opened, is wider than the window."""
    hidden_verdicts: list[str]
    """Those that are not seen without scrolling sideways."""
    ran: bool
    """Whether a script of the page set ``window.ran``."""
    dialogs: list[str]
    errors: list[str]
    """What the console says."""
    requests: list[str]
    """What the page asked for beside itself. None of it was let out."""
    faults: list[str]
    """What axe finds with everything opened, element by element."""
    unsure: list[str]
    """What axe cannot decide."""
    sheets: int
    """Of paper, where it is printed."""


def look(visits: Sequence[Visit]) -> list[Seen]:
    """Make all visits, in one browser.

    Raises:
        RuntimeError: the browser did not come up, or a page did not.
    """
    install_once(_HERE / "package-lock.json", _HERE / "node_modules", _npm_ci)
    done = subprocess.run(
        ["node", "look.mjs"],
        cwd=_HERE,
        input=json.dumps([asdict(visit) for visit in visits]),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"The browser did not answer:\n{done.stderr}")
    return [Seen(**one) for one in json.loads(done.stdout)]


def _npm_ci() -> None:
    subprocess.run(["npm", "ci", "--silent", "--no-progress"], cwd=_HERE, check=True)
