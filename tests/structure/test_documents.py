"""What the documents promise and the source has are the same."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from trunkline.api.failures import CODES
from trunkline.cli.main import MODULES
from trunkline.domain.statement_check import CLOSING, OPENING
from trunkline.domain.statements import COLUMNS
from trunkline.runtime.engine_root import ENGINES, ROOTS
from trunkline.runtime.processes import instance_processes
from trunkline.runtime.settings import Settings, variable
from trunkline.usecases.webhook_endpoints import KINDS

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
# What a file of this project never names: where it was written, and whose mirror was used.
PRIVATE = re.compile(r"(?<![\w.])/(work|root)/|/tmp/(et|briefs|ksrc)\b|deb\.debian\.org|pypi\.org|pythonhosted|registry\.npmjs")


def rows(page: str, first_header: str) -> dict[str, list[str]]:
    """A table of a page, by its first column."""
    lines = iter((REFERENCE / page).read_text(encoding="utf-8").splitlines())
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(f"| {first_header} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                cells = [cell.strip().strip("`") for cell in row.strip("|").split("|")]
                found[cells[0]] = cells[1:]
    return found


def test_every_setting_is_documented_with_its_default() -> None:
    documented = rows("layout.md", "setting")
    defaults = {variable(item.name): item.default for item in dataclasses.fields(Settings) if item.name != "home"}
    assert documented.keys() == defaults.keys()
    said = {"same": "", "empty = SQLite": "", "empty": ""}
    assert {name: said.get(cells[0], cells[0]) for name, cells in documented.items()} == {
        name: _written(default) for name, default in defaults.items()
    }


def _written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_every_process_is_documented_with_what_it_waits_for(tmp_path: Path) -> None:
    documented = rows("layout.md", "process")
    specs = {spec.name: spec for spec in instance_processes(Settings(home=tmp_path))}
    assert documented.keys() == specs.keys()
    assert {name for name, spec in specs.items() if spec.after} == {name for name, cells in documented.items() if "kamailio" in name}
    assert set(specs["kamailio"].after) == set(documented["kamailio"][0].split(", "))


def test_every_dependency_is_documented() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=!~ ]", line)[0] for line in wanted}
    of_debian = {"python3-venv", "mmdebstrap", "bubblewrap", "uidmap", "postgresql", "chromium", "fonts-dejavu-core"}
    assert names == set(rows("dependencies.md", "package")) - of_debian


def test_the_oldest_safe_engines_are_documented() -> None:
    programs = " ".join(rows("dependencies.md", "program")).lower()
    for engine in ENGINES:
        assert f"{engine.program} ≥ {'.'.join(map(str, engine.oldest))}" in programs
    assert set(ROOTS) == {"engine", "lab"}


def test_every_command_module_is_listed() -> None:
    """A module without commands of its own is a part of another."""
    with_commands = (
        path for path in (ROOT / "src/trunkline/cli").glob("*.py") if re.search(r"^COMMANDS\b", path.read_text(), re.MULTILINE)
    )
    written = {f"trunkline.cli.{path.stem}" for path in with_commands}
    assert written == set(MODULES)
    commands = [command.name for name in MODULES for command in import_module(name).COMMANDS]
    assert len(commands) == len(set(commands))


def test_the_errors_and_events_of_the_api_are_documented() -> None:
    assert {code: int(cells[0]) for code, cells in rows("api.md", "code").items()} == {code: status for code, (status, _) in CODES.items()}
    assert tuple(rows("api.md", "event")) == KINDS


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_the_place_it_was_written_in() -> None:
    files = tracked_files()
    if not files:
        pytest.skip("not a git checkout")
    found = {}
    for path in files:
        if path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        if match := PRIVATE.search(text):
            found[str(path.relative_to(ROOT))] = match[0]
    assert found == {}


def test_the_cells_of_a_statement_are_documented() -> None:
    documented = {
        name: [each.strip("` ") for key in rows("statement-format.md", name) for each in key.split(",")]
        for name in ("head", "column", "end")
    }
    assert documented == {"head": list(OPENING), "column": list(COLUMNS), "end": list(CLOSING)}
