"""PBXs that are set up in their own web pages: what to type into which field. Not proven by running one."""

from __future__ import annotations

from trunkline.usecases.pbx_config.details import TrunkDetails


def freepbx(details: TrunkDetails) -> dict[str, str]:
    """Name of the form -> its fields, one a line."""
    trunk = [
        ("Trunk Name", details.section),
        ("Authentication", "Outbound" if details.registers else "None"),
        ("Registration", "Send" if details.registers else "None"),
        ("Username", details.sip_user),
        ("Secret", details.password),
        ("SIP Server", details.domain),
        ("SIP Server Port", str(details.port)),
        ("Context", "from-pstn"),
        ("Transport", f"0.0.0.0-{details.transport}"),
    ]
    advanced = [
        ("Outbound Proxy", f"sip:{details.host}:{details.port}\\;lr" if details.server else ""),
        ("From Domain", details.domain),
        ("From User", details.sip_user),
        ("Contact User", details.sip_user),
        ("Send RPID/PAI", "Send P-Asserted-Identity header"),
        ("Media Encryption", "SRTP via in-SDP" if details.srtp else "None"),
        ("DTMF Mode", "RFC 4733"),
        ("Match (Permit)", details.host),
    ]
    routes = [
        (f"DID Number {number}", f"Set Destination: Extension {extension}") for number, extension in sorted(details.extensions.items())
    ]
    return {
        "Connectivity, Trunks, Add SIP (chan_pjsip) Trunk, pjsip Settings: General": _fields(trunk),
        "Connectivity, Trunks, Add SIP (chan_pjsip) Trunk, pjsip Settings: Advanced": _fields(advanced),
        "Connectivity, Inbound Routes": _fields(routes),
    }


def three_cx(details: TrunkDetails) -> dict[str, str]:
    """Name of the form -> its fields, one a line."""
    trunk = [
        ("Provider", "Generic SIP Trunk"),
        ("Registrar/Server", f"{details.domain}, port {details.port}"),
        ("Outbound Proxy", f"{details.host}, port {details.port}" if details.server else ""),
        ("Type of Authentication", "Register/Account based" if details.registers else "Do not require - IP Based"),
        ("Authentication ID", details.sip_user),
        ("Authentication Password", details.password),
        ("Transport protocol", details.transport.upper()),
        ("SRTP mode", "Enforced" if details.srtp else "Disabled"),
        ("Re-register timeout", "3600"),
    ]
    outgoing = [("From: Host Part", details.domain), ("P-Asserted-Identity: User Part", "OutboundCallerId")]
    dids = [(f"DID {number}", f"Extension {extension}") for number, extension in sorted(details.extensions.items())]
    return {
        "Voice & Chat, Add Trunk": _fields(trunk),
        "Trunk, Outbound Parameters": _fields(outgoing),
        "Trunk, DIDs and Inbound Rules": _fields(dids),
    }


def _fields(pairs: list[tuple[str, str]]) -> str:
    """Empty ones are left as the PBX has them."""
    return "".join(f"{name}: {value}\n" for name, value in pairs if value)
