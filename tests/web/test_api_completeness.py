"""Whatever can be done in the Manager can be done by the API, or docs/reference/api.md says why not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ninja import Schema

from tests.web.test_access import routes, takes
from trunkline.api import documentation
from trunkline.web.access import Audience

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
BY_API, BY_BROWSER = "## What the Manager does, and by which operation", "## Only by browser"


def test_every_change_of_the_manager_is_an_operation_or_is_said_to_be_none() -> None:
    by_api, by_browser = _paths(_section(BY_API)), _paths(_section(BY_BROWSER))
    assert len(by_api) > 40
    assert len(by_api) == len(set(by_api))
    there = set(_changing_paths())
    only_there = {path for path in there if any(_fits(path, pattern) for pattern in by_browser)}
    assert [pattern for pattern in by_browser if not any(_fits(path, pattern) for path in there)] == []
    assert set(by_api) & only_there == set()
    assert set(by_api) == there - only_there


def test_the_operations_that_are_named_exist_and_change_something() -> None:
    methods = {about["operationId"]: method for known in documentation.schema()["paths"].values() for method, about in known.items()}
    rows = [line.split("|")[1:3] for line in _section(BY_API).splitlines() if line.startswith("| `")]
    named = [name for _, operations in rows for name in re.findall(r"`(\w+)`", operations)]
    assert all(re.search(r"`\w+`", operations) for _, operations in rows)
    assert set(named) <= methods.keys()
    assert set(_names(_section(BY_API) + _section(BY_BROWSER))) <= methods.keys()
    changing = {name for name, method in methods.items() if method != "get" and not re.search("preview|dry_run", name)}
    assert changing - set(named) == set()


def _changing_paths() -> Iterator[str]:
    """Of all that people of a company can send a form to."""
    for path, route in routes():
        audience: Audience = route.callback.audience  # type: ignore[attr-defined]
        if (audience.of_company or audience is Audience.SIGNED_IN) and takes(route.callback, "POST"):
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)


def _fits(path: str, pattern: str) -> bool:
    """`/account/*`: whatever begins so."""
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _section(title: str) -> str:
    _, _, after = PAGE.read_text().partition(f"{title}\n")
    assert after, f"{PAGE.name} has no section {title!r}"
    return after.partition("\n## ")[0]


def _paths(section: str) -> list[str]:
    """Of the first column."""
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [path for cell in cells for path in re.findall(r"`(/[^`]*)`", cell)]


def _names(text: str) -> list[str]:
    """Of operations, wherever they are named."""
    return re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text)


def test_no_two_shapes_have_one_name() -> None:
    """The description knows them by their names only: the later would stand for both."""
    known = [shape for shape in _below(Schema) if shape.__module__.startswith("trunkline.api.")]
    assert len(known) > 80
    assert sorted(name for name, count in Counter(shape.__name__ for shape in known).items() if count > 1) == []


def _below(shape: type[Schema]) -> set[type[Schema]]:
    return {below for child in shape.__subclasses__() for below in (child, *_below(child))}
