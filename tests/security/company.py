"""Fills the store of a whole instance: `python -m tests.security.company`, with the instance's settings in the environment.

Two companies that have nothing to do with each other, one PBX known by its address, and the carrier. Prints a JSON object.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from trunkline.cli.store import open_store
from trunkline.runtime.settings import load_settings

CARRIER_ADDRESS = "127.0.0.2"
FIXED_ADDRESS = "127.0.0.20"
ALPHA_NUMBER, BETA_NUMBER, FIXED_NUMBER = "12025550110", "12025550120", "12025550130"
CHANNELS = 200
LONGEST_CALL_SECONDS = 3
"""Of the PBX that is known by its address: calls that nobody ends properly are ended by call control."""
CREDIT_MICROS = 1_000_000_000
PRICES = b"prefix,destination,rate per minute,connection fee,increments\n44,United Kingdom,0.02,0.01,60/60\n"


@dataclass(frozen=True)
class Subscriber:
    """A SIP Profile and what proves it. `port` of one that is known by its address, else 0."""

    profile_id: int
    user: str
    password: str
    number: str
    port: int = 0


@dataclass(frozen=True)
class Cast:
    alpha: Subscriber
    beta: Subscriber
    fixed: Subscriber
    carrier_port: int

    @classmethod
    def read(cls, text: str) -> Cast:
        told = json.loads(text)
        alpha, beta, fixed = (Subscriber(**told[name]) for name in ("alpha", "beta", "fixed"))
        return cls(alpha, beta, fixed, told["carrier_port"])


def fill(carrier_port: int, fixed_port: int) -> Cast:
    from trunkline.store.work import By
    from trunkline.usecases import carriers, credentials, credit, managers, numbers, prices, profiles

    now, by, settings = datetime.now(UTC), By("security tests", "tests"), load_settings()
    about: dict[str, Any] = {"now": now, "by": by}
    prices_id = prices.create_price_list(**about, name="Retail", currency="USD", echo_number="17606604690")
    prices.import_price_list(**about, price_list_id=prices_id, data=PRICES)
    gateway = carriers.Gateway(host=CARRIER_ADDRESS, port=carrier_port, probe=False)
    carrier_id = carriers.create_carrier(**about, name="North", gateway=gateway, allow_private=True)
    carriers.set_route(**about, carrier_id=carrier_id, prefix="")

    def subscriber(company: str, number: str, port: int = 0) -> Subscriber:
        manager_id = managers.create_manager(
            **about,
            company_name=company,
            country="US",
            currency="USD",
            time_zone="America/New_York",
            admin_account=f"{company}.Admin",
            price_list_id=prices_id,
        ).manager_id
        made = profiles.create_profile(**about, manager_id=manager_id, name=company, channels=CHANNELS, sip_domain=settings.sip_domain)
        mine = about | {"profile_id": made.profile_id}
        credit.book_payment(**about, manager_id=manager_id, amount_micros=CREDIT_MICROS, reference=company)
        credit.allocate_credit(**mine, amount_micros=CREDIT_MICROS, reference=company)
        numbers.add_numbers(**about, stock=[stock_number(number)])
        numbers.assign_number(**mine, e164=number)
        profiles.set_caller_id(**mine, caller_id=number)
        profiles.set_limits(**mine, calls_per_second=1000, max_duration_seconds=LONGEST_CALL_SECONDS if port else None)
        if port:
            credentials.set_ip_authentication(**mine, address=FIXED_ADDRESS, port=port, allow_private=True)
        return Subscriber(made.profile_id, made.sip_user, made.password, number, port)

    from trunkline.domain.number_sheet import stock_number

    return Cast(
        subscriber("Alpha", ALPHA_NUMBER),
        subscriber("Beta", BETA_NUMBER),
        subscriber("Fixed", FIXED_NUMBER, fixed_port),
        carrier_port,
    )


def main() -> None:
    open_store()
    print(json.dumps(asdict(fill(int(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
