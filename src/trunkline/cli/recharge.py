"""`./trunkline recharge ...`: Auto-recharge of a SIP Profile or of a Manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from trunkline.cli.store import AMOUNT, StoreGroup, acting, json_option, show
from trunkline.domain.money import decimal_text

Command = Callable[..., None]


@click.group(cls=StoreGroup)
def recharge() -> None:
    """Auto-recharge. Give --profile (from its Manager's Credit) or --manager (by its payment method)."""


def owner_options(command: Command) -> Command:
    by_profile = click.option("--profile", help="A SIP Profile, by id, SIP user or name.")
    return by_profile(click.option("--manager", help="A Manager, by id, administrator account or company name.")(command))


@recharge.command("set")
@owner_options
@click.option("--threshold", type=AMOUNT, required=True, help="Recharge when less is free, like 5.00.")
@click.option("--amount", type=AMOUNT, required=True, help="So much at a time.")
@click.option("--monthly-limit", type=AMOUNT, help="Of a calendar month.")
@click.option("--method", type=int, help="A Manager's payment method, by id; without it the default one.")
@click.option("--confirm", is_flag=True, help="Also below the recommended amounts.")
@json_option
def set_up(
    profile: str | None, manager: str | None, *, threshold: int, amount: int, monthly_limit: int | None, method: int | None, **said: bool
) -> None:
    """Switch it on."""
    from trunkline.usecases.recharge_rules import RechargeNeedsConfirmation, set_recharge

    done = set_recharge(
        **acting(), **_owner(profile, manager), threshold_micros=threshold, amount_micros=amount, monthly_limit_micros=monthly_limit,
        method_id=method, confirmed=said["confirm"],
    )  # fmt: skip
    if isinstance(done, RechargeNeedsConfirmation):
        show(said["as_json"], done, lambda: [*done.warnings, "Nothing was saved: repeat the command with --confirm."])
        click.get_current_context().exit(1)
    show(said["as_json"], done, lambda: ["Auto-recharge is on."])


@recharge.command()
@owner_options
def reset(profile: str | None, manager: str | None) -> None:
    """Switch it on with the amounts that the price list recommends."""
    from trunkline.usecases.recharge_rules import reset_recharge

    reset_recharge(**acting(), **_owner(profile, manager))
    click.echo("Auto-recharge is on, with the recommended amounts.")


@recharge.command()
@owner_options
def disable(profile: str | None, manager: str | None) -> None:
    """Switch it off."""
    from trunkline.usecases.recharge_rules import disable_recharge

    disable_recharge(**acting(), **_owner(profile, manager))
    click.echo("Auto-recharge is off.")


@recharge.command("show")
@owner_options
@json_option
def show_one(profile: str | None, manager: str | None, *, as_json: bool) -> None:
    """What is set, what is recommended, and how the last recharge went."""
    from trunkline.usecases.recharge_rules import recharge_of

    state = recharge_of(**_owner(profile, manager))
    facts = {
        "recommended_threshold": decimal_text(state.recommended.threshold_micros),
        "recommended_amount": decimal_text(state.recommended.amount_micros),
        **(_facts(state.rule) if state.rule else {"enabled": False}),
    }
    show(as_json, facts, lambda: [f"{name.replace('_', ' '):22} {value}" for name, value in facts.items() if value not in (None, "")])


@recharge.command()
@click.argument("prices")
@click.option("--profile", "for_profiles", nargs=2, type=AMOUNT, metavar="THRESHOLD AMOUNT", help="For SIP Profiles.")
@click.option("--manager", "for_managers", nargs=2, type=AMOUNT, metavar="THRESHOLD AMOUNT", help="For Managers.")
def recommend(prices: str, *, for_profiles: tuple[int, int] | None, for_managers: tuple[int, int] | None) -> None:
    """Set what the price list PRICES recommends."""
    from trunkline.domain.recharge import Recommended
    from trunkline.store.queries import price_list_named
    from trunkline.usecases.recharge_rules import recommend

    if for_profiles is None and for_managers is None:
        raise click.UsageError("Give --profile, --manager or both.")
    given: dict[str, Any] = {
        name: Recommended(*pair) for name, pair in (("profile", for_profiles), ("manager", for_managers)) if pair is not None
    }
    recommend(**acting(), price_list_id=price_list_named(prices).pk, **given)
    click.echo("The price list recommends these amounts.")


def _owner(profile: str | None, manager: str | None) -> dict[str, Any]:
    from trunkline.store.queries import manager_named, profile_named

    if (profile is None) == (manager is None):
        raise click.UsageError("Give --profile or --manager.")
    return {"profile_id": profile_named(profile).pk} if profile is not None else {"manager_id": manager_named(manager or "").pk}


def _facts(rule: Any) -> dict[str, Any]:
    limit = rule.monthly_limit_micros
    return {
        "enabled": rule.enabled,
        "threshold": decimal_text(rule.threshold_micros),
        "amount": decimal_text(rule.amount_micros),
        "monthly_limit": None if limit is None else decimal_text(limit),
        "method": rule.method.label if rule.method else "",
        "recharged_this_month": decimal_text(rule.recharged_micros),
        "under_way": decimal_text(rule.pending_micros) if rule.pending_micros else "",
        "failures": rule.failures,
        "last_failure": rule.last_failure,
        "next_try": rule.next_try_at.strftime("%Y-%m-%d %H:%M:%S UTC") if rule.next_try_at else "",
    }


COMMANDS = (recharge,)
