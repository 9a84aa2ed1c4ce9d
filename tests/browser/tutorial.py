"""The tutorial as a test reads it: between two pictures, _what is pressed_ and `what is typed`; below a picture, **what it shows**.

Code in fences is for the terminal, and no part of the walk.
"""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "architects.md"
IMAGES = TUTORIAL.parent / "images"
WIDTH = 1280
COLOURS = 64
WRITE = bool(os.environ.get("WRITE_SCREENSHOTS"))
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]+)\]\(images/([\w-]+)\.png\)\n\n(.+?)(?=\n\n|\Z)", re.DOTALL)
_PRESSED, _SHOWN = re.compile(r"(?<!\w)_([^_\n]+)_(?!\w)"), re.compile(r"\*\*([^*]+)\*\*")
_TYPED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")  # what the text names only has ``two`` on each side
FIRST_STEP = "## 1. "


@dataclass(frozen=True)
class Picture:
    """`heading` is the page's; `pressed` and `typed` lead to it from the picture before."""

    name: str
    heading: str
    pressed: tuple[str, ...]
    typed: tuple[str, ...]
    shown: tuple[str, ...]


def pictures() -> list[Picture]:
    text, found, before = _FENCE.sub("", TUTORIAL.read_text().partition(FIRST_STEP)[2]), [], 0
    for match in _PICTURE.finditer(text):
        way, before = text[before : match.start()], match.end()
        pressed, typed = tuple(_PRESSED.findall(way)), tuple(_TYPED.findall(way))
        found.append(Picture(match[2], match[1], pressed, typed, tuple(" ".join(one.split()) for one in _SHOWN.findall(match[3]))))
    return found


@dataclass
class Walk:
    """Goes through the product as the text says. Where the text and the walk part, `look` fails."""

    visitor: Visitor
    ahead: list[Picture] = field(default_factory=pictures)
    pressed: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)

    def follow(self, name: str, of: str = "") -> None:
        """`of`: what the link says to those who can't see where it stands."""
        self.visitor.follow(f"{name} {of}".strip())
        self.pressed.append(name)

    def follow_left(self, name: str, menu: str) -> None:
        """In the left menu of that name."""
        self.visitor.page.get_by_label(menu, exact=True).get_by_role("link", name=name, exact=True).click()
        self.pressed.append(name)

    def press(self, name: str) -> None:
        self.visitor.press(name)
        self.pressed.append(name)

    def type(self, label: str, text: str) -> None:
        field = self.visitor.page.get_by_label(re.compile(rf"^{re.escape(label)}(\s*optional)?\s*$"))
        field.wait_for()
        self.visitor.page.wait_for_load_state()
        field.fill(text)
        self.typed.append(text)

    def choose(self, label: str, text: str) -> None:
        self.visitor.page.get_by_label(label, exact=True).select_option(label=text)
        self.typed.append(text)

    def look(self, name: str) -> None:
        assert self.ahead, f"{name} is not in the tutorial"
        picture = self.ahead.pop(0)
        walked, told = (name, *self.pressed, *self.typed), (picture.name, *picture.pressed, *picture.typed)
        assert walked == told, f"walked: {walked}\ntold: {told}"
        self.pressed, self.typed = [], []
        page = self.visitor.page
        expect(page.get_by_role("heading", level=1)).to_contain_text(picture.heading, use_inner_text=True)
        for text in picture.shown:
            expect(page.locator("body")).to_contain_text(text, use_inner_text=True)
        if WRITE:
            _write(IMAGES / f"{name}.png", page.screenshot(full_page=True, animations="disabled", caret="hide"))


def _write(path: Path, png: bytes) -> None:
    """Few colours: pages are flat, and a picture in the repository should be small."""
    path.parent.mkdir(exist_ok=True)
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
