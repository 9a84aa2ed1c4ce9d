"""FreeSWITCH: a gateway and two pieces of dialplan."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from trunkline.usecases.pbx_config.details import TrunkDetails


def freeswitch(details: TrunkDetails) -> dict[str, str]:
    """File name below the configuration directory -> content. Not proven by running one."""
    name = details.section
    return {
        f"sip_profiles/external/{name}.xml": _gateway(details),
        f"dialplan/public/00_{name}.xml": _incoming(details),
        f"dialplan/default/00_{name}.xml": _outgoing(details),
    }


def _gateway(details: TrunkDetails) -> str:
    hop = f"{details.host}:{details.port}"
    settings = {
        "username": details.sip_user or "not-used",  # the program insists on one
        "password": details.password or "not-used",
        "realm": details.domain,
        "from-user": details.sip_user,
        "from-domain": details.domain,
        "proxy": f"{details.domain}:{details.port}",
        "outbound-proxy": hop if details.server else "",
        "register": "true" if details.registers else "false",
        "register-transport": details.transport,
        "expire-seconds": "3600",
        "retry-seconds": "30",
        "ping": "60",
        "caller-id-in-from": "false",
        "extension-in-contact": "true",
    }
    lines = [f"    <param name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in settings.items() if value]
    return "\n".join(["<include>", f"  <gateway name={quoteattr(details.section)}>", *lines, "  </gateway>", "</include>", ""])


def _incoming(details: TrunkDetails) -> str:
    blocks = [
        _extension(f"{details.section}-{number}", f"^{number.replace('+', '[+]')}$", [("transfer", f"{extension} XML default")])
        for number, extension in sorted(details.extensions.items())
    ]
    return "\n".join(["<include>", *blocks, "</include>", ""])


def _outgoing(details: TrunkDetails) -> str:
    media = [("export", "nolocal:rtp_secure_media=mandatory")] if details.srtp else []
    bridge = [*media, ("bridge", f"sofia/gateway/{details.section}/$1")]
    return "\n".join(["<include>", _extension(f"{details.section}-out", r"^(\+?[0-9]{7,15})$", bridge), "</include>", ""])


def _extension(name: str, pattern: str, actions: list[tuple[str, str]]) -> str:
    lines = [f"      <action application={quoteattr(application)} data={quoteattr(data)}/>" for application, data in actions]
    condition = f'    <condition field="destination_number" expression={quoteattr(pattern)}>'
    return "\n".join([f"  <extension name={quoteattr(name)}>", condition, *lines, "    </condition>", "  </extension>"])
