"""The instance's secret key, and keys derived from it."""

from __future__ import annotations

import hashlib
import os
import secrets

from trunkline.runtime.settings import Settings, SettingsError

SECRET_BYTES = 32


def secret_key(settings: Settings) -> bytes:
    """Seals passwords at rest; made on first use, and never again: whoever makes the file first wins."""
    path = settings.secret_key_path
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_suffix(f".{os.getpid()}")
        mine.touch(mode=0o600)
        mine.write_text(secrets.token_hex(SECRET_BYTES), encoding="ascii")
        try:
            os.link(mine, path)
        except FileExistsError:
            pass  # another process was first: theirs counts
        finally:
            mine.unlink()
    key = bytes.fromhex(path.read_text(encoding="ascii"))
    if len(key) != SECRET_BYTES:
        raise SettingsError(f"{path} is damaged: it must hold {SECRET_BYTES * 2} hexadecimal digits.")
    return key


def derived_key(settings: Settings, purpose: str) -> bytes:
    """A key for one purpose, so that what is shown to one engine opens nothing else."""
    return hashlib.blake2b(purpose.encode(), key=secret_key(settings), digest_size=SECRET_BYTES).digest()
