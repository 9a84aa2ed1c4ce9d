"""One whole instance for all attacks. After each of them it must be as it was, and a proper call must work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ports import in_free_ports
from tests.security.instance import Vitals, WholeInstance
from tests.security.people import a_call_works

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
NEVER = ("trunkline_not_understood_total", "trunkline_set_aside_total", "trunkline_unpaid_seconds_total")

UNANSWERED_SECONDS = 45.0
"""A BYE that nobody answers keeps its dialog for as long as it is repeated: 64*T1 (RFC 3261)."""


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeInstance]:
    with ExitStack() as stack:
        instance = in_free_ports(lambda: stack.enter_context(WholeInstance(tmp_path_factory.mktemp("security"))))
        asyncio.run(a_call_works(instance))  # everything that is loaded when it is first needed
        yield instance
        instance.has_failed = request.session.testsfailed > 0
        if not instance.has_failed:
            instance.eventually(lambda: not instance.rpc.dialogs(), "Kamailio has forgotten all calls", within=UNANSWERED_SECONDS)
        found = instance.audit()
        assert found["ok"], found


@pytest.fixture
def instance(running: WholeInstance) -> Iterator[WholeInstance]:
    before = running.vitals()
    yield running
    asyncio.run(a_call_works(running))
    assert_unharmed(before, running.vitals())
    for process in ("kamailio", "callcontrol"):
        said = running.log(process, before.log_bytes[process])
        assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:3000]


def assert_unharmed(before: Vitals, after: Vitals) -> None:
    """Nobody died or was started again, and call control understood all that it was asked and told."""
    assert after.restarts == dict.fromkeys(before.restarts, 0)
    assert after.workers == before.workers
    assert {name: after.counted[name] for name in NEVER} == dict.fromkeys(NEVER, 0.0)


@pytest.fixture(scope="session")
def torture_messages() -> dict[str, bytes]:
    """The messages of RFC 4475, by name."""
    directory = CORPORA / "rfc4475"
    if not directory.is_dir():
        pytest.skip("the RFC 4475 messages are not beside this clone (../shared/corpora/rfc4475)")
    return {path.stem: path.read_bytes() for path in sorted(directory.glob("*.dat"))}
