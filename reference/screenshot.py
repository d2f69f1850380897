"""A picture of the page's first screen, with the hash of what it shows written into it."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from pathlib import Path

from cmek_construct.review.page import html
from reference.example import page


def shown() -> str:
    """The hash of the first screen: its style, the drawing, and all that is to be signed."""
    first, _, _ = html(page()).partition("</section>")
    return hashlib.sha256(first.encode()).hexdigest()


def is_current(file: Path) -> bool:
    """Whether a picture shows the first screen as it is."""
    return file.exists() and shown().encode() in file.read_bytes()


def take(file: Path) -> None:
    """Open the page in the browser of the tests, which is installed on first use."""
    from tests.browser.browser import Visit, look

    with tempfile.TemporaryDirectory() as folder:
        opened = Path(folder) / "review.html"
        opened.write_text(html(page()), encoding="utf-8")
        look([Visit(str(opened), width=1100, height=700, picture=str(file))])
    file.write_bytes(_with_text(file.read_bytes(), shown()))


def _with_text(png: bytes, text: str) -> bytes:
    """A PNG with a comment, before the twelve bytes of its end."""
    chunk = b"tEXtComment\0" + text.encode()
    length, check = len(chunk) - 4, zlib.crc32(chunk)
    return png[:-12] + length.to_bytes(4, "big") + chunk + check.to_bytes(4, "big") + png[-12:]
