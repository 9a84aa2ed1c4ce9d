"""Business accounts: their names, their extensions, and many of them from pasted e-mail addresses (SPEC R1.3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass

from trunkline.domain.errors import Invalid
from trunkline.domain.names import check_account_name

MOST_AT_ONCE = 500
LONGEST_NAME = 64

_EXTENSION = re.compile(r"[A-Za-z0-9*#._-]{1,32}")
_DIVIDERS = re.compile(r"[,;]")
_IN_ANGLES = re.compile(r".*<([^<>]*)>")
_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?[.][A-Za-z]{2,24}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Planned:
    """An account that would be made of a pasted address. `problem`: why it can't be; empty when it can."""

    line: int
    email: str
    name: str
    problem: str = ""


def check_name(text: str) -> str:
    """Like any account's (`domain.names`), named by its field on the form."""
    try:
        return check_account_name(text.strip())
    except Invalid as problem:
        raise Invalid("name", str(problem)) from problem


def check_extension(text: str) -> str:
    """Becomes the user part of a SIP address; empty: none."""
    extension = text.strip()
    if extension and not _EXTENSION.fullmatch(extension):
        raise Invalid("extension", f"{extension[:32]!r} can't be an extension: use up to 32 digits, letters, *, #, dots or dashes.")
    return extension


def plan(text: str, company_name: str, taken_names: Container[str], taken_emails: Container[str]) -> list[Planned]:
    """What pasted addresses become: one or more a line, divided by commas or semicolons, also as `Sales <sales@example.com>`.

    What is taken is given in lower case. A name that is taken gets a number; an address that is taken, or there twice, has a problem.
    """
    prefix = company_prefix(company_name)
    names: set[str] = set()
    lines_of: dict[str, int] = {}
    planned = []
    for line, written in _addresses(text):
        email = written.lower()
        problem = _problem(written, email, lines_of, taken_emails)
        name = "" if problem else _unused(f"{prefix}.{_words(email.partition('@')[0])}", names, taken_names)
        names.add(name.lower())
        lines_of.setdefault(email, line)
        planned.append(Planned(line, email, name, problem))
        if len(planned) > MOST_AT_ONCE:
            raise Invalid("addresses", f"More than {MOST_AT_ONCE} addresses: paste them in parts.")
    if not planned:
        raise Invalid("addresses", "Paste at least one e-mail address.")
    return planned


def company_prefix(company_name: str) -> str:
    """`Architects Ltd.` → `ArchitectsLtd`; what begins with a digit or has no Latin letter gets one that does."""
    letters = "".join(filter(str.isalnum, _latin(company_name)))[:24]
    return letters if letters[:1].isalpha() else f"Company{letters}"


def _addresses(text: str) -> Iterator[tuple[int, str]]:
    for line, content in enumerate(text.splitlines(), start=1):
        for piece in _DIVIDERS.split(content):
            found = _IN_ANGLES.fullmatch(piece)
            if address := (found[1] if found else piece).strip():
                yield line, address


def _problem(written: str, email: str, lines_of: dict[str, int], taken_emails: Container[str]) -> str:
    if not _ADDRESS.fullmatch(email) or ".." in email:
        return f"{written[:60]!r} is not an e-mail address."
    if email in lines_of:
        return f"{email} is on line {lines_of[email]} too: keep one."
    return f"There is an account with {email} already: take it out." if email in taken_emails else ""


def _unused(wanted: str, names: set[str], taken: Container[str]) -> str:
    wanted = wanted[: LONGEST_NAME - 4]
    found, number = wanted, 1
    while found.lower() in names or found.lower() in taken:
        number += 1
        found = f"{wanted}{number}"
    return found


def _words(local_part: str) -> str:
    """`vanessa.lombardi+pbx` → `Vanessa.Lombardi`."""
    words = re.split(r"[._-]+", _NOT_IN_NAMES.sub("", _latin(local_part.partition("+")[0])))
    return ".".join(word[:1].upper() + word[1:] for word in words if word) or "Account"


def _latin(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
