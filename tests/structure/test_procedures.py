"""Every numbered procedure of the guide is gone through in a browser, by a test that is named after its section."""

from __future__ import annotations

import re
from pathlib import Path

BROWSER = Path(__file__).parents[1] / "browser"
SECTIONS = (
    *("4", "6", "7_1_1", "7_1_2", "7_1_3", "7_2_1", "7_2_2", "7_3_1", "7_3_2", "7_3_3", "7_3_4", "7_4_1", "7_4_2", "7_5_1", "7_5_2"),
    *("7_6_1", "7_6_2", "7_6_3", "7_7", "7_8", "7_9", "7_10", "7_11", "8_2_3", "10_4"),
)


def test_each_procedure_has_its_test() -> None:
    named = re.findall(r"^def test_g_(\d+(?:_\d+)*)_[a-z]", "\n".join(path.read_text() for path in BROWSER.glob("test_*.py")), re.MULTILINE)
    assert sorted(set(SECTIONS) - set(named)) == []
