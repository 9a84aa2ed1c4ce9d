"""Names that people give: trimmed, of a sane length, without control characters."""

from __future__ import annotations

import re
import unicodedata

from trunkline.domain.errors import Invalid

_ACCOUNT = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,63}")


def check_name(text: str, field: str, *, longest: int) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Invalid(field, f"Give a {field.replace('_', ' ')}.")
    if len(name) > longest:
        raise Invalid(field, f"The {field.replace('_', ' ')} is too long: at most {longest} characters.")
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise Invalid(field, f"The {field.replace('_', ' ')} has control characters: type it anew.")
    return name


def check_account_name(text: str) -> str:
    """Of a person or a business account: it becomes part of SIP addresses."""
    if not _ACCOUNT.fullmatch(text):
        raise Invalid("admin_account", f"{text[:64]!r} can't be an account: 3 to 64 letters, digits, dots, dashes; a letter first.")
    return text
