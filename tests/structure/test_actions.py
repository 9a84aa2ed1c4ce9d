"""Whatever is written into the audit log, people read a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.structure.test_rooms import MODULES, parsed
from trunkline.store.models import Dispute, Manager, Payment, Term
from trunkline.usecases.webhook_endpoints import KINDS as EVENTS
from trunkline.web.accounts.journal import NOTED
from trunkline.web.actions import KINDS, SENTENCES

TERMS = [*Term.Kind.values]
ENDS = [*Term.End.values]
CREDIT = ["payment", "allocate", "take_back"]
"""The first words of the keys in usecases/credit.py."""
FAMILIES = {
    "f'payment.{state}'": [f"payment.{state}" for state in Payment.State.values],
    "f'manager.{state}'": [f"manager.{state}" for state in Manager.State.values],
    "f'dispute.{state}'": [f"dispute.{state}" for state in Dispute.State.values if state != Dispute.State.OPEN],
    "f'credit.{kind}'": [f"credit.{kind}" for kind in CREDIT],
    "f'profile.{action}'": [],  # see `changes_of_profiles`
    "f'number.{how}'": [f"number.{how}" for how in ENDS],
    "f'{term.kind}.{how}'": [f"{kind}.{how}" for kind in TERMS for how in ENDS],
    "f'{term.kind}.renew'": [f"{kind}.renew" for kind in TERMS],
    "f\"{term.kind}.{action or ('change' if old else 'buy')}\"": [f"{kind}.{how}" for kind in TERMS for how in ("buy", "change", "grant")],
    "f\"{term.kind}.{('keep' if renews else 'cancel')}\"": [f"{kind}.{how}" for kind in TERMS for how in ("keep", "cancel")],
}
"""Actions that are put together when they are written, and what may come out."""
NO_ACTIONS = set(EVENTS)


def trees() -> Iterator[ast.Module]:
    for path in MODULES:
        if "usecases" in path.parts or "accounts" in path.parts:
            yield parsed(path)


def calls(name: str) -> Iterator[ast.Call]:
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                yield node


def spoken() -> set[str]:
    """What is said to the log itself, and every text that begins as an action does: it may be on its way there."""
    said = {part.value for call in calls("audit") for part in call.args[:1] if isinstance(part, ast.Constant)}
    rooms = "|".join({action.partition(".")[0] for action in SENTENCES})
    texts = {node.value for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {str(text) for text in said} | {text for text in texts if re.fullmatch(rf"({rooms})\.[a-z_]+", text)} - NO_ACTIONS


def composed() -> set[str]:
    found = {
        ast.unparse(part) for name in ("audit", "log") for call in calls(name) for part in call.args[:2] if isinstance(part, ast.JoinedStr)
    }
    assigned = {ast.unparse(node.value) for tree in trees() for node in ast.walk(tree) if _names_an_action(node)}  # type: ignore[attr-defined]
    return {text for text in found | assigned if re.match(r"f['\"](\w+|{term\.kind})\.", text)}


def _names_an_action(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.JoinedStr) and ast.unparse(node.targets[0]) == "action"


def changes_of_profiles() -> set[str]:
    found = [call.args[2] for call in calls("change") if len(call.args) > 2]
    assert len(found) > 10
    assert all(isinstance(part, ast.Constant) for part in found)
    return {f"profile.{ast.literal_eval(part)}" for part in found}


def test_every_action_has_a_sentence() -> None:
    assert composed() == FAMILIES.keys()
    families = {action for actions in FAMILIES.values() for action in actions}
    written = spoken() | families | changes_of_profiles() | {action for _, action in NOTED}
    assert len(written) > 100
    assert written - SENTENCES.keys() == set()


def test_the_history_of_a_company_leaves_no_kind_out() -> None:
    """What only the operator does is in no company's history."""
    of_operator = {
        "carrier",
        "incident",
        "instance",
        "ledger",
        "price_list",
        "prices",
        "provider_event",
        "purchase_limits",
        "staff",
        "suspension",
    }
    sorted_in = [word for _, words in KINDS.values() for word in words]
    assert len(sorted_in) == len(set(sorted_in))
    assert {action.partition(".")[0] for action in SENTENCES} == set(sorted_in) | of_operator
