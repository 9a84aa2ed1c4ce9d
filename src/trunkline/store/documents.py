"""The content of uploaded documents: files in the home of the instance, sealed, under random names; nothing there is served by path."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from trunkline.runtime.settings import load_settings
from trunkline.store import sealing

_NAME = re.compile(r"[0-9a-f]{32}")


def keep(data: bytes) -> str:
    """On disk when this returns. Returns the name to `read` it by."""
    name = secrets.token_hex(16)
    directory = load_settings().documents_dir
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(directory.joinpath(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(sealing.seal_bytes(data))
        file.flush()
        os.fsync(file.fileno())
    return name


def read(name: str) -> bytes:
    """Raises `FileNotFoundError` when it is not there."""
    return sealing.unseal_bytes(_path(name).read_bytes())


def remove(name: str) -> None:
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a document")
    return load_settings().documents_dir.joinpath(name)
