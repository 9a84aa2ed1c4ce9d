"""`./trunkline pbx-config`: what to paste into a PBX (SPEC R2.8)."""

from __future__ import annotations

import click

from trunkline.cli.store import StoreCommand, acting, json_option, show
from trunkline.domain.errors import Invalid
from trunkline.runtime.settings import Settings
from trunkline.usecases.pbx_config import WRITERS, TrunkDetails


@click.command("pbx-config", cls=StoreCommand)
@click.argument("profile")
@click.option("--pbx", type=click.Choice(list(WRITERS), case_sensitive=False), default="Asterisk", show_default=True)
@click.option("--transport", type=click.Choice(["udp", "tcp", "tls"]), default="udp", show_default=True)
@click.option("--srtp", is_flag=True, help="Encrypted media.")
@click.option("--extension", default="100", show_default=True, help="Where calls to the profile's numbers go.")
@json_option
@click.pass_obj
def pbx_config(settings: Settings, profile: str, *, pbx: str, transport: str, srtp: bool, extension: str, as_json: bool) -> None:
    """Ready-to-paste configuration of a PBX for PROFILE (id, SIP user or name). It has the password in it; that you looked is logged."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.credentials import reveal_password

    found = profile_named(profile)
    seen = reveal_password(**acting(), profile_id=found.pk)
    try:
        details = TrunkDetails(
            profile=found.name,
            domain=settings.sip_domain,
            server=settings.advertised_address,
            port=settings.sips_port if transport == "tls" else settings.sip_port,
            sip_user=seen.sip_user,
            password=seen.password,
            transport=transport,
            srtp=srtp,
            extensions=dict.fromkeys(found.numbers.order_by("e164").values_list("e164", flat=True), extension),
        )
    except ValueError as problem:
        raise Invalid("extension", str(problem)) from problem
    files = WRITERS[pbx](details)
    show(as_json, files, lambda: [f"; ---- {name}\n{content}" for name, content in files.items()])


COMMANDS = (pbx_config,)
