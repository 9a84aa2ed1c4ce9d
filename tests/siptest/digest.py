"""The client's side of SIP digest authentication (RFC 2617 and RFC 8760 algorithms)."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

_ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True)
class Credentials:
    user: str
    password: str


def challenge_fields(header: str) -> dict[str, str]:
    """`Digest realm="x", nonce="y", algorithm=MD5` -> its fields, names in lower case."""
    pairs = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', header.partition(" ")[2])
    return {name.lower(): quoted or plain for name, quoted, plain in pairs}


def authorization(credentials: Credentials, challenge: str, method: str, uri: str, nonce_count: int = 1) -> str:
    """The value of Authorization or Proxy-Authorization that answers `challenge`."""
    fields = challenge_fields(challenge)
    algorithm = fields.get("algorithm", "MD5")
    realm, nonce = fields["realm"], fields["nonce"]

    def digest(*parts: str) -> str:
        return _ALGORITHMS[algorithm.upper()](":".join(parts).encode()).hexdigest()

    ha1 = digest(credentials.user, realm, credentials.password)
    ha2 = digest(method, uri)
    answer = {"username": credentials.user, "realm": realm, "nonce": nonce, "uri": uri}
    unquoted = {"algorithm": algorithm}
    if "auth" in fields.get("qop", "").split(","):
        count, cnonce = f"{nonce_count:08x}", secrets.token_hex(8)
        answer |= {"cnonce": cnonce, "response": digest(ha1, nonce, count, cnonce, "auth", ha2)}
        unquoted |= {"qop": "auth", "nc": count}
    else:
        answer["response"] = digest(ha1, nonce, ha2)
    if "opaque" in fields:
        answer["opaque"] = fields["opaque"]
    quoted = [f'{name}="{value}"' for name, value in answer.items()]
    return "Digest " + ", ".join(quoted + [f"{name}={value}" for name, value in unquoted.items()])


def proves(credentials: Credentials, answer: str, method: str) -> bool:
    """Whether an Authorization header was made with these credentials."""
    fields = challenge_fields(answer)
    algorithm = _ALGORITHMS[fields.get("algorithm", "MD5").upper()]

    def digest(*parts: str) -> str:
        return algorithm(":".join(parts).encode()).hexdigest()

    ha1, ha2 = digest(credentials.user, fields["realm"], credentials.password), digest(method, fields["uri"])
    middle = [fields["nonce"], *([fields["nc"], fields["cnonce"], "auth"] if "qop" in fields else [])]
    return fields["username"] == credentials.user and fields["response"] == digest(ha1, *middle, ha2)
