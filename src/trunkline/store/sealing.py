"""Secrets at rest: sealed with a key of the instance, so that a copy of the store alone opens nothing."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet

from trunkline.runtime.keys import derived_key
from trunkline.runtime.settings import load_settings


def seal(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    return _box().decrypt(sealed.encode("ascii")).decode()


def seal_bytes(content: bytes) -> bytes:
    return _box().encrypt(content)


def unseal_bytes(sealed: bytes) -> bytes:
    return _box().decrypt(sealed)


@lru_cache(maxsize=1)
def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(load_settings(), "seal")))
