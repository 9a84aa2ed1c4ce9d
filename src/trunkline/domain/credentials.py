"""Credentials of a SIP Profile. Chance comes from outside: `draw(n)` gives an integer from 0 to n-1 that nobody can guess."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

Draw = Callable[[int], int]

SIP_USER_DIGITS = 14
PASSWORD_LENGTH = 20
# Nothing that is taken for something else when read aloud, and nothing that a PBX's configuration file would have to escape.
PASSWORD_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # noqa: S105 - not one, but what they are made of


def new_sip_user(draw: Draw) -> str:
    """Fourteen digits that don't begin with 0."""
    first = 10 ** (SIP_USER_DIGITS - 1)
    return str(first + draw(9 * first))


def new_password(draw: Draw) -> str:
    """About 116 bits: out of reach also for somebody who has the HA1."""
    return "".join(PASSWORD_ALPHABET[draw(len(PASSWORD_ALPHABET))] for _ in range(PASSWORD_LENGTH))


def ha1(sip_user: str, realm: str, password: str) -> str:
    """`MD5(user:realm:password)` as digest authentication has it (RFC 2617 3.2.2.2)."""
    return hashlib.md5(f"{sip_user}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()
