"""Files as a reader of theirs shows them: the cells of an XLSX, the lines of a PDF. As much of both formats as the reports write."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from xml.etree import ElementTree as ET

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
SHOWN = re.compile(rb"/F([0-9]+) [0-9.]+ Tf|([0-9.]+) ([0-9.]+) Td|\(((?:[^\\()]|\\.)*)\) Tj", re.DOTALL)
ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def cells_of_xlsx(file: bytes) -> list[list[str]]:
    """Of the first sheet, line by line; a formula is an error, an empty line is one."""
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SHEET}f"))
    found: dict[int, list[str]] = {}
    for row in sheet.iter(f"{SHEET}row"):
        found[int(row.attrib["r"])] = ["".join(cell.itertext()) for cell in row.iter(f"{SHEET}c")]
    return [found.get(number, []) for number in range(1, max(found) + 1)]


def lines_of_pdf(file: bytes) -> list[str]:
    """What stands at one height is a line: its texts from left to right, with a space between. Page by page, from the top."""
    objects = dict(re.findall(rb"(?s)(?:^|\n)([0-9]+) 0 obj\n(.*?)\nendobj", file))
    fonts = {name: _letters(objects, objects[number]) for name, number in re.findall(rb"/F([0-9]+) ([0-9]+) 0 R", file)}
    pages = [objects[number] for number in re.findall(rb"/Contents ([0-9]+) 0 R", file)]
    return [line for page in pages for line in _lines(_stream(page), fonts)]


def _lines(drawn: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    lines: dict[float, list[tuple[float, str]]] = {}
    letters, place = {}, (0.0, 0.0)
    for font, left, height, text in SHOWN.findall(drawn):
        if font:
            letters = fonts[font]
        elif left:
            place = float(left), float(height)
        else:
            codes = re.sub(rb"(?s)\\(.)", lambda escaped: ESCAPED.get(escaped[1], escaped[1]), text)
            words = "".join(letters[int.from_bytes(codes[at : at + 2])] for at in range(0, len(codes), 2))
            lines.setdefault(place[1], []).append((place[0], words))
    return [" ".join(text for _, text in sorted(lines[height])) for height in sorted(lines, reverse=True)]


def _letters(objects: dict[bytes, bytes], font: bytes) -> dict[int, str]:
    """What a font's codes stand for, by its ToUnicode table."""
    table = _stream(objects[re.findall(rb"/ToUnicode ([0-9]+) 0 R", font)[0]])
    return {
        int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be")
        for code, text in re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", table)
    }


def _stream(found: bytes) -> bytes:
    inside = found[found.index(b"stream\n") + 7 : found.rindex(b"\nendstream")]
    return zlib.decompress(inside) if b"/FlateDecode" in found else inside
