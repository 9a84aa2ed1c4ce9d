"""Asterisk with chan_pjsip. The demo and the tests run a real one with this, letter for letter."""

from __future__ import annotations

from trunkline.usecases.pbx_config.details import TrunkDetails


def asterisk_pjsip(details: TrunkDetails) -> dict[str, str]:
    """File name -> content, for Asterisk 18 and later."""
    return {"pjsip.conf": _asterisk_trunk(details), "extensions.conf": _asterisk_dialplan(details)}


def _asterisk_trunk(details: TrunkDetails) -> str:
    name, target = details.section, _asterisk_uri(details, "")
    hop = [("outbound_proxy", f"sip:{details.host}:{details.port}{_asterisk_parameter(details)}\\;lr")] if details.server else []
    sections = [
        (f"{name}-transport", [("type", "transport"), ("protocol", details.transport), ("bind", details.bind), *_asterisk_tls(details)]),
        *(_asterisk_credentials(details, target, hop) if details.registers else []),
        (name, [("type", "aor"), ("contact", target), ("qualify_frequency", "60"), *hop]),
        (name, _asterisk_endpoint(details, hop)),
        (name, [("type", "identify"), ("endpoint", name), ("match", details.host)]),
    ]
    head = f"; SIP Profile {details.title}: paste into pjsip.conf\n\n"
    return head + "\n".join(_section(title, settings) for title, settings in sections)


def _asterisk_tls(details: TrunkDetails) -> list[tuple[str, str]]:
    """Left alone it speaks TLS 1.0, which nobody takes any more."""
    return [("method", "tlsv1_2")] if details.transport == "tls" else []


def _asterisk_credentials(details: TrunkDetails, target: str, hop: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    name = details.section
    auth = [("type", "auth"), ("auth_type", "userpass"), ("username", _value(details.sip_user)), ("password", _value(details.password))]
    registration = [
        ("type", "registration"),
        ("transport", f"{name}-transport"),
        ("outbound_auth", name),
        ("server_uri", target),
        ("client_uri", _asterisk_uri(details, f"{details.sip_user}@", port=False)),
        ("contact_user", _value(details.sip_user)),
        *hop,
        ("expiration", "3600"),
        ("retry_interval", "20"),
        ("forbidden_retry_interval", "300"),
        ("auth_rejection_permanent", "no"),
        ("max_retries", "10000"),
        ("line", "yes"),  # the registered contact carries a parameter by which incoming calls are known
        ("endpoint", name),
    ]
    return [(name, auth), (name, registration)]


def _asterisk_endpoint(details: TrunkDetails, hop: list[tuple[str, str]]) -> list[tuple[str, str]]:
    name = details.section
    identity = [("outbound_auth", name), ("from_user", _value(details.sip_user))] if details.registers else []
    return [
        ("type", "endpoint"),
        ("transport", f"{name}-transport"),
        ("context", f"from-{name}"),
        ("aors", name),
        *identity,
        ("from_domain", details.domain),
        *hop,
        ("disallow", "all"),
        ("allow", "alaw,ulaw"),
        ("media_encryption", "sdes" if details.srtp else "no"),
        ("dtmf_mode", "rfc4733"),
        ("direct_media", "no"),
        *_asterisk_media_address(details),
        ("force_rport", "yes"),
        ("rtp_symmetric", "yes"),
        ("rewrite_contact", "no"),  # what we send as Contact is where to reach us
        ("send_pai", "yes"),  # the number that you present
        ("trust_id_inbound", "yes"),
        ("t38_udptl", "yes"),
    ]


def _asterisk_media_address(details: TrunkDetails) -> list[tuple[str, str]]:
    """A PBX that listens on one address only sends its media from there too, or its source is not what its offer says."""
    address = details.bind.rpartition(":")[0].strip("[]")
    return [] if address in ("", "0.0.0.0", "::") else [("media_address", address), ("bind_rtp_to_media_address", "yes")]  # noqa: S104


def _asterisk_dialplan(details: TrunkDetails) -> str:
    """`internal` is the PBX's own context in which extensions are dialled."""
    name = details.section
    incoming = [line for number, extension in sorted(details.extensions.items()) for line in _asterisk_extension(number, extension)]
    outgoing = [
        line
        for pattern in ("_+X.", "_X.")
        for line in (f"exten => {pattern},1,Dial(PJSIP/${{EXTEN}}@{name},120)", " same => n,Hangup(${HANGUPCAUSE})")
    ]
    return "\n".join(
        [
            f"; SIP Profile {details.title}: paste into extensions.conf",
            "",
            f"; Calls to your numbers arrive here and go on to your own context [internal].\n[from-{name}]",
            *incoming,
            "exten => _[+0-9].,1,Hangup(1)",
            "",
            f"; Let your extensions call out: `include => to-{name}` in their context.\n[to-{name}]",
            *outgoing,
            "",
        ]
    )


def _asterisk_extension(number: str, extension: str) -> list[str]:
    return [f"exten => {number},1,Goto(internal,{extension},1)"]


def _asterisk_uri(details: TrunkDetails, user: str, *, port: bool = True) -> str:
    return f"sip:{_value(user)}{details.domain}{f':{details.port}' if port else ''}{_asterisk_parameter(details)}"


def _asterisk_parameter(details: TrunkDetails) -> str:
    return "" if details.transport == "udp" else f"\\;transport={details.transport}"


def _section(title: str, settings: list[tuple[str, str]]) -> str:
    return "\n".join([f"[{title}]", *(f"{name} = {value}" for name, value in settings), ""])


def _value(text: str) -> str:
    """A semicolon begins a comment in Asterisk's files unless it is escaped."""
    return text.replace(";", "\\;")
