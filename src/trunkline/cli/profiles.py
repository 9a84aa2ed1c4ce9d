"""`./trunkline profile ...`: SIP Profiles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from trunkline.cli.profile_settings import set_values
from trunkline.cli.store import StoreGroup, acting, json_option, show, table
from trunkline.domain.money import decimal_text, for_people
from trunkline.runtime.settings import Settings

MICROSECONDS = 1_000_000


@click.group(cls=StoreGroup)
def profile() -> None:
    """SIP Profiles. PROFILE is its id, SIP user or name."""


profile.add_command(set_values)


@profile.command()
@click.argument("manager")
@click.argument("name")
@click.option("--channels", type=int, default=0, show_default=True, help="How many calls at once; 0: inactive.")
@json_option
@click.pass_obj
def create(settings: Settings, manager: str, name: str, *, channels: int, as_json: bool) -> None:
    """Make a profile NAME for MANAGER, and show its credentials."""
    from trunkline.store.queries import manager_named
    from trunkline.usecases.profiles import create_profile

    made = create_profile(**acting(), manager_id=manager_named(manager).pk, name=name, channels=channels, sip_domain=settings.sip_domain)
    show(as_json, made, lambda: [f"SIP Profile {made.profile_id} is made.", *_credentials(settings, made.sip_user, made.password)])


@profile.command("list")
@click.option("--manager", help="Only this Manager's.")
@json_option
def list_all(manager: str | None, *, as_json: bool) -> None:
    """All profiles, with Credit and calls now."""
    from trunkline.store.models import Profile
    from trunkline.store.queries import manager_named

    found = Profile.objects.exclude(state="deleted").select_related("account", "manager", "channeluse", "registration").order_by("id")
    if manager is not None:
        found = found.filter(manager=manager_named(manager))
    rows = [_facts(each) for each in found]
    columns = ("id", "name", "company", "state", "sip_user", "channels", "calls", "credit", "held", "registered_from")
    show(as_json, rows, lambda: table(columns, [[row[name] for name in columns] for row in rows]))


@profile.command("show")
@click.argument("profile")
@json_option
def show_one(profile: str, *, as_json: bool) -> None:
    """Everything about one profile: settings, numbers, registration."""
    from trunkline.store.queries import profile_named

    facts = _facts(profile_named(profile))
    show(as_json, facts, lambda: [f"{name.replace('_', ' '):22} {_written(value)}" for name, value in facts.items()])


@profile.command()
@click.argument("profile")
@json_option
@click.pass_obj
def password(settings: Settings, profile: str, *, as_json: bool) -> None:
    """Show the password again; that you looked is logged."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.credentials import reveal_password

    seen = reveal_password(**acting(), profile_id=profile_named(profile).pk)
    show(as_json, seen, lambda: _credentials(settings, seen.sip_user, seen.password))


@profile.command()
@click.argument("profile")
@click.option("--keep-hours", type=click.IntRange(0, 24), default=0, show_default=True, help="How long the old password works alongside.")
@json_option
@click.pass_obj
def rotate(settings: Settings, profile: str, *, keep_hours: int, as_json: bool) -> None:
    """A new password. A registered PBX stays registered; it needs the new one at its next registration."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.credentials import rotate_password

    made = rotate_password(
        **acting(), profile_id=profile_named(profile).pk, sip_domain=settings.sip_domain, keep_old_for=timedelta(hours=keep_hours)
    )
    until = f"The old password works until {made.old_valid_until:%Y-%m-%d %H:%M} UTC." if made.old_valid_until else "The old one stopped."
    show(as_json, made, lambda: [*_credentials(settings, made.sip_user, made.password), until])


@profile.command()
@click.argument("profile")
@click.argument("address", required=False)
@click.argument("port", type=int, default=5060)
@click.option("--remove", is_flag=True, help="The PBX registers from now on.")
@click.pass_obj
def ip(settings: Settings, profile: str, address: str | None, port: int, *, remove: bool) -> None:
    """IP authentication: the PBX at ADDRESS and PORT (5060) does not register."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.credentials import remove_ip_authentication, set_ip_authentication

    if remove == (address is not None):
        raise click.UsageError("Give an address, or --remove.")
    found = profile_named(profile)
    if address is None:
        remove_ip_authentication(**acting(), profile_id=found.pk)
        click.echo(f"{found.name} registers with its password.")
        return
    private = settings.allow_private_sources
    set_ip_authentication(**acting(), profile_id=found.pk, address=address, port=port, allow_private=private)
    click.echo(f"{found.name} is the PBX at {address} port {port}.")


@profile.command()
@click.argument("profile")
@click.option("--reason", required=True, help="What the company is told.")
def suspend(profile: str, *, reason: str) -> None:
    """Stop its outgoing calls; incoming ones go on."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.profiles import suspend_profile

    found = profile_named(profile)
    suspend_profile(**acting(), profile_id=found.pk, reason=reason)
    click.echo(f"{found.name} is suspended.")


@profile.command()
@click.argument("profile")
def resume(profile: str) -> None:
    """Let it call again."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.profiles import resume_profile

    found = profile_named(profile)
    resume_profile(**acting(), profile_id=found.pk)
    click.echo(f"{found.name} is active.")


@profile.command()
@click.argument("profile")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
def delete(profile: str, *, yes: bool, as_json: bool) -> None:
    """Delete it, after showing what happens: its Credit returns to the Manager, its numbers stay there, call records are kept."""
    from trunkline.store.queries import profile_named
    from trunkline.usecases.profile_deletion import delete_profile, preview_profile_deletion

    found = profile_named(profile)
    planned = preview_profile_deletion(now=acting()["now"], profile_id=found.pk)
    if not yes and not planned.problems:
        for line in _consequences(planned):
            click.echo(line, err=True)
        click.confirm(f"Delete {planned.name}?", abort=True, err=True)
    done = delete_profile(**acting(), profile_id=found.pk)
    show(as_json, done, lambda: [f"{done.name} is deleted.", *_consequences(done)])


def _consequences(planned: Any) -> Iterator[str]:
    yield f"Back to the Manager's Credit  {for_people(planned.credit_micros, planned.currency)}"
    if planned.refund_micros:
        yield f"Refund of unused bundles      {for_people(planned.refund_micros, planned.currency)}"
    if planned.channels:
        yield f"Channels, not refunded        {planned.channels}, paid until {planned.channels_until:%Y-%m-%d %H:%M} UTC"
    yield f"Numbers to the Manager        {', '.join(f'+{e164}' for e164 in planned.numbers) or 'none'}"
    yield f"Business accounts let go      {', '.join(planned.accounts) or 'none'}"


def _credentials(settings: Settings, sip_user: str, password: str) -> list[str]:
    return [
        f"SIP user    {sip_user}",
        f"Password    {password}",
        f"Domain      {settings.sip_domain}",
        f"Server      {settings.advertised_address}, port {settings.sip_port} (UDP, TCP), {settings.sips_port} (TLS)",
    ]


def _facts(each: Any) -> dict[str, Any]:
    registered = getattr(each, "registration", None)
    limit = each.max_rate_per_minute_micros
    facts = {
        "id": each.pk,
        "name": each.name,
        "company": each.manager.company_name,
        "state": each.state,
        "sip_user": each.sip_user,
        "channels": each.channels,
        "calls": each.channeluse.in_use,
        "credit": decimal_text(each.account.balance),
        "held": decimal_text(each.account.held),
        "currency": each.account.currency,
        "numbers": [f"+{number.e164}" for number in each.numbers.order_by("e164")],
        "caller_id": f"+{each.caller_id}" if each.caller_id else "",
        "ip_authentication": f"{each.ip_auth_address} port {each.ip_auth_port}" if each.ip_auth_address else "",
        "media": each.media,
        "srtp": each.srtp,
        "number_format": each.number_format,
        "calls_per_second": each.pace,
        "most_calls_per_second": each.calls_per_second,
        "max_duration_seconds": each.max_duration_seconds,
        "max_rate_per_minute": None if limit is None else decimal_text(limit),
        "barred_types": each.barred_types,
        "barred_destinations": each.barred_destinations,
        "calls_abroad": each.calls_abroad,
        "old_password_until": each.old_valid_until.isoformat() if each.old_valid_until else "",
    }
    return facts | (_registration(registered, each.srtp) if registered else {"registered_from": ""})


def _registration(registered: Any, srtp: str) -> dict[str, Any]:
    from trunkline.domain.media_encryption import towards_pbx
    from trunkline.store.directory import Registered

    return {
        "registered_from": registered.source,
        "contact": registered.contact,
        "user_agent": registered.user_agent,
        "behind_nat": registered.behind_nat,
        "registered_since": _moment(registered.since_us),
        "registered_until": _moment(registered.expires_us),
        "took_over_from": registered.displaced_contact,
        "media_by": str(towards_pbx(srtp, Registered.of(registered).binding())),
    }


def _moment(us: int) -> str:
    return datetime.fromtimestamp(us // MICROSECONDS, tz=UTC).isoformat()


def _written(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")


COMMANDS = (profile,)
