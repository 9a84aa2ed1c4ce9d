"""Those parts of the script that need no Kamailio: seals, text, lists of headers, the journal's files."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

PACKAGE = "trunkline.edge.script"
SETTINGS = {
    "domain": "trunk.example", "edge": "edge", "ask_timeout_ms": 1500, "answer_processes": 1, "alias": "tlasecret",
    "seal_key": "0b" * 32, "announcement": "",
}  # fmt: skip


class Script(SimpleNamespace):
    seals: Any
    text: Any
    hiding: Any
    journal: Any


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """The script's modules, with a KSR that knows nothing but where the settings are."""
    written = tmp_path / "edge.json"
    written.write_text(json.dumps(SETTINGS | {"run_dir": str(tmp_path), "spool_dir": str(tmp_path)}), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "KSR", _kamailio(str(written)))
    before = set(sys.modules)
    yield Script(**{name: importlib.import_module(f"{PACKAGE}.{name}") for name in ("seals", "text", "hiding", "journal")})
    for name in set(sys.modules) - before:
        del sys.modules[name]


def _kamailio(written: str) -> ModuleType:
    class Anything(ModuleType):
        def __getattr__(self, name: str) -> Any:
            return Anything(name)

    fake = Anything("KSR")
    fake.pv = SimpleNamespace(get=lambda name: written if name == "$def(EDGE)" else None)  # type: ignore[attr-defined]
    return fake


def test_a_seal_fits_its_contact_its_call_and_its_mark(script: Script) -> None:
    seals = script.seals
    mark = seals.Mark("72057594037927937", "rps")
    sealed = seals.seal("sip:pbx@192.0.2.1:5060;line=7", mark, "call-1")
    assert seals.unseal(sealed, mark, "call-1") == "sip:pbx@192.0.2.1:5060;line=7"
    assert seals.unseal(sealed, mark, "call-2") is None
    assert seals.unseal(sealed, seals.Mark("72057594037927938", "rps"), "call-1") is None
    assert seals.unseal(sealed, seals.Mark("72057594037927937", ""), "call-1") is None
    assert seals.unseal(sealed.replace("192.0.2.1", "192.0.2.9"), mark, "call-1") is None
    assert seals.unseal("sip:pbx@192.0.2.1:5060;line=7", mark, "call-1") is None
    assert seals.unseal(sealed[:-1], mark, "call-1") is None


@pytest.mark.parametrize("traits", ["", "rps", "raax"])
def test_a_mark_is_read_as_it_was_written(script: Script, traits: str) -> None:
    seals = script.seals
    mark = seals.Mark("72057594037927937", traits)
    uri = f"sip:192.0.2.1;lr=on;ftag=1;did=1.2{seals.mark_parameter(mark, 'call-1')}"
    assert seals.read_mark(uri) == mark
    assert seals.is_genuine(mark, uri, "call-1")
    assert not seals.is_genuine(mark, uri, "call-2")
    assert (mark.has_media, mark.is_shifted) == ("r" in traits, traits.endswith("x"))


@pytest.mark.parametrize(
    "uri", ["", "sip:192.0.2.1;lr", "sip:192.0.2.1;tl=.00000000", "sip:192.0.2.1;tl=abc.00000000", "sip:192.0.2.1;tl=²³.0"]
)
def test_no_mark(script: Script, uri: str) -> None:
    assert script.seals.read_mark(uri) is None


@pytest.mark.parametrize(
    ("header", "uri"),
    [
        ("<sip:a@b>;tag=1", "sip:a@b"),
        ("sip:a@b;tag=1", "sip:a@b"),
        ('"<sip:evil@x>" <sip:a@b>', "sip:a@b"),
        ('"\\"<sip:evil@x>" <sip:a@b;p=1>', "sip:a@b;p=1"),
        ("Name <sip:a@b>", "sip:a@b"),
    ],
)
def test_address_uri(script: Script, header: str, uri: str) -> None:
    assert script.text.address_uri(header) == uri


def test_lists_are_split_where_sip_splits_them(script: Script) -> None:
    split = script.hiding.split_values
    assert split("<sip:a>") == ["<sip:a>"]
    assert split('"x, y" <sip:a,b>;q=1, <sip:c>,') == ['"x, y" <sip:a,b>;q=1', "<sip:c>"]


def test_what_leaves_is_short_and_printable(script: Script) -> None:
    cleaned = script.text.cleaned
    assert cleaned("a\r\nb\0c") == "a  b c"
    assert len(cleaned("é" * 600).encode()) <= 512
    assert cleaned("x" * 600) == "x" * 512


def test_a_new_segment_when_one_is_full(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script.journal, "SEGMENT_BYTES_MAX", 100)
    journal = script.journal.Journal(str(tmp_path), 42)
    lines = [f"line {number}" + "x" * 30 for number in range(6)]
    for line in lines:
        journal.write(line)
    paths = sorted(tmp_path.glob("*.jsonl"))
    assert len(paths) == 3
    assert all(path.name.startswith(f"{42:020d}-") for path in paths)
    assert "".join(path.read_text() for path in paths).splitlines() == lines


def test_a_full_disk_spoils_one_line_only(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = script.journal.Journal(str(tmp_path), 42)
    journal.write("first")
    real_write = script.journal.os.write
    with monkeypatch.context() as full:
        full.setattr(script.journal.os, "write", lambda descriptor, data: real_write(descriptor, data[:3]))
        with pytest.raises(OSError, match="only 3 of"):
            journal.write("second")
    journal.write("third")
    whole = [line for path in sorted(tmp_path.glob("*.jsonl")) for line in path.read_bytes().split(b"\n")[:-1]]
    assert whole == [b"first", b"third"]
