"""`./trunkline carrier ...`: upstream gateways."""

from __future__ import annotations

from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreGroup, acting, json_option, show, table
from trunkline.domain.money import decimal_text
from trunkline.runtime.settings import Settings


@click.group(cls=StoreGroup)
def carrier() -> None:
    """Carriers. CARRIER is its name or id."""


@carrier.command()
@click.argument("name")
@click.argument("address")
@click.option("--port", type=int, default=5060, show_default=True)
@click.option("--transport", default="udp", show_default=True, help="udp, tcp or tls")
@click.option("--user", "auth_user", default="", help="For its 401/407; the password is asked for.")
@click.option("--password", "auth_password", default="", help="Better left out: it would stay in the shell's history.")
@click.option("--probe/--no-probe", default=True, help="Ask for its health by OPTIONS.")
@click.pass_obj
def add(settings: Settings, /, name: str, address: str, **given: Any) -> None:
    """A carrier at ADDRESS, which is also where its own INVITEs come from. Give it a route next."""
    from trunkline.usecases.carriers import Gateway, create_carrier

    gateway = Gateway(host=address, **_with_password(given))
    ident = create_carrier(**acting(), name=name, gateway=gateway, allow_private=settings.allow_private_sources)
    click.echo(f"Carrier {ident} is there. Let it take all numbers: ./trunkline carrier route {ident}")


@carrier.command("list")
@json_option
def list_all(*, as_json: bool) -> None:
    """All carriers, their health, and the prefixes that they take."""
    from trunkline.store.models import Carrier

    rows = [_facts(each) for each in Carrier.objects.prefetch_related("routes").order_by("id")]
    columns = ("id", "name", "gateway", "enabled", "up")
    show(as_json, rows, lambda: _listed(rows, columns))


@carrier.command("set")
@click.argument("carrier")
@click.option("--address")
@click.option("--port", type=int)
@click.option("--transport", help="udp, tcp or tls")
@click.option("--user", "auth_user", help="Empty: no authentication.")
@click.option("--password", "auth_password")
@click.option("--probe/--no-probe", default=None)
@click.option("--enable/--disable", default=None, help="A disabled carrier gets no new calls and may send none.")
@click.pass_obj
def set_values(settings: Settings, /, carrier: str, *, enable: bool | None, **given: Any) -> None:
    """Change what is given, leave the rest."""
    from trunkline.store.queries import carrier_named
    from trunkline.usecases.carriers import set_carrier_enabled, update_carrier

    found = carrier_named(carrier)
    wanted = {name: value for name, value in given.items() if value is not None}
    if enable is None and not wanted:
        raise click.UsageError("Say what to change: see --help.")
    if wanted:
        gateway = _changed(found, wanted)
        update_carrier(**acting(), carrier_id=found.pk, gateway=gateway, allow_private=settings.allow_private_sources)
    if enable is not None:
        set_carrier_enabled(**acting(), carrier_id=found.pk, enabled=enable)
    click.echo(f"Carrier {found.name} is set.")


@carrier.command()
@click.argument("carrier")
@click.argument("prefix", default="")
@click.option("--priority", type=int, default=10, show_default=True, help="Smaller first among equal prefixes.")
@click.option("--cost", type=AMOUNT, default="0", help="What the carrier takes a minute: decides between equal priorities.")
@click.option("--remove", is_flag=True, help="It does not take this prefix any more.")
def route(carrier: str, prefix: str, *, priority: int, cost: int, remove: bool) -> None:
    """CARRIER takes numbers that begin with PREFIX; without one, all."""
    from trunkline.store.queries import carrier_named
    from trunkline.usecases.carriers import remove_route, set_route

    found = carrier_named(carrier)
    if remove:
        remove_route(**acting(), carrier_id=found.pk, prefix=prefix)
    else:
        set_route(**acting(), carrier_id=found.pk, prefix=prefix, priority=priority, cost_per_minute_micros=cost)
    click.echo(f"Carrier {found.name} {'no longer takes' if remove else 'takes'} {f'+{prefix}...' if prefix else 'all numbers'}.")


def _with_password(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("auth_user") and not given.get("auth_password"):
        given["auth_password"] = click.prompt("Password", hide_input=True)
    return given


def _changed(found: Any, wanted: dict[str, Any]) -> Any:
    from trunkline.store import sealing
    from trunkline.usecases.carriers import Gateway

    if "address" in wanted:
        wanted["host"] = wanted.pop("address")
    names = ("host", "port", "transport", "auth_user", "probe")
    known = {name: getattr(found, name) for name in names}
    known["auth_password"] = sealing.unseal(found.auth_password_sealed) if found.auth_password_sealed else ""
    if wanted.get("auth_user") == "":
        wanted["auth_password"] = ""
    return Gateway(**_with_password(known | wanted))


def _facts(each: Any) -> dict[str, Any]:
    routes = [
        {"prefix": route.prefix, "priority": route.priority, "cost_per_minute": decimal_text(route.cost_per_minute_micros)}
        for route in each.routes.all()
    ]
    gateway = f"{each.transport}:{each.host}:{each.port}"
    return {"id": each.pk, "name": each.name, "gateway": gateway, "enabled": each.enabled, "up": each.up, "routes": routes}


def _listed(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[str]:
    routes = [
        f"  {row['name']} takes {'+' + each['prefix'] if each['prefix'] else 'all numbers'}"
        f" at priority {each['priority']}, cost {each['cost_per_minute']}"
        for row in rows
        for each in row["routes"]
    ]
    return table(columns, [[row[name] for name in columns] for row in rows]) + routes


COMMANDS = (carrier,)
