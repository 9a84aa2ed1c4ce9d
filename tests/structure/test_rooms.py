"""How the source is built: imports, sizes, names. What a reader may rely on without looking."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "trunkline"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
FUNCTION_LINES_MAX = 70
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "manager"}
TIME_WORDS = ("seconds", "timeout", "delay", "interval", "wait", "sleep", "monotonic", "clock", "timestamp")
MONEY_ROOMS = ("domain", "store", "usecases")


def named(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def parsed(path: Path) -> ast.Module:
    """Without garbage collection: in Python before 3.11.9 one in mid-parse can end in a SystemError."""
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_function_is_longer_than_a_page(path: Path) -> None:
    long = {node.name: length for node in functions(path) if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX}
    assert long == {}


def test_module_names_say_what_is_inside() -> None:
    assert [named(path) for path in MODULES if path.stem in EMPTY_NAMES] == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.relative_to(SOURCE).parts[0] in MONEY_ROOMS], ids=named)
def test_no_binary_fraction_comes_near_money(path: Path) -> None:
    """Amounts are integer micro-units. A float beside them is either a mistake or a duration: durations say so in their name."""
    suspicious = [f"line {line}: {what}" for line, what in _floats(parsed(path))]
    assert suspicious == []


def _floats(tree: ast.Module) -> Iterator[tuple[int, str]]:
    waiting = {id(part) for node in ast.walk(tree) if _is_about_time(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in waiting:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, repr(node.value)
        elif isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "float"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _joins_paths(node):
            yield node.lineno, f"true division: {ast.unparse(node)}"
        elif isinstance(node, ast.Attribute) and node.attr == "FloatField":
            yield node.lineno, "FloatField"


def _is_about_time(node: ast.AST) -> bool:
    """Seconds that a process waits, not seconds that somebody pays."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.arg | ast.keyword | ast.FunctionDef | ast.Call):
        return any(word in _name(node) for word in TIME_WORDS)
    return False


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]).lower()
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target).lower()
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).lower()
    return str(getattr(node, "arg", None) or getattr(node, "name", "")).lower()


def _joins_paths(node: ast.BinOp) -> bool:
    """`directory / "name"`: one side is a text."""
    return any(
        (isinstance(side, ast.Constant) and isinstance(side.value, str)) or isinstance(side, ast.JoinedStr)
        for side in (node.left, node.right)
    )
