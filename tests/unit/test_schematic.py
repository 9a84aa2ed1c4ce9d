"""The layout of the schematic: nothing overlaps, every line ends at two boxes, and the same is drawn the same."""

from __future__ import annotations

import itertools

from hypothesis import given, strategies as st

from trunkline.manager.schematic.layout import (
    ELLIPSIS,
    WIDTH,
    Box,
    Drawing,
    Kind,
    Node,
    Strand,
    below_each_other,
    lay_out,
    shortened,
)

texts = st.text(max_size=90)
tones = st.sampled_from(["neutral", "good", "warn", "bad", "info"])
lines = st.lists(texts, min_size=1, max_size=7).map(tuple)


def nodes(*kinds: Kind) -> st.SearchStrategy[Node]:
    used = st.none() | st.tuples(st.integers(0, 300), st.integers(0, 300))
    return st.builds(Node, st.uuids().map(str), st.sampled_from(kinds), lines, st.just("/"), tones, used)


called = st.lists(nodes(Kind.NUMBER, Kind.NAME, Kind.LANDLINE, Kind.GAP), min_size=1, max_size=40).map(tuple)
ends = st.sampled_from([(True, True), (True, False), (False, True)])


@st.composite
def strands(draw: st.DrawFn) -> Strand:
    through, reached = draw(ends)
    middle = draw(nodes(Kind.PROFILE, Kind.GAP)) if through else None
    return Strand(draw(called), middle, draw(nodes(Kind.REACHED)) if reached else None)


def overlap(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def check(drawing: Drawing) -> None:
    boxes = {box.node.key: box for box in drawing.boxes}
    assert not [pair for pair in itertools.combinations(drawing.boxes, 2) if overlap(*pair)]
    for box in drawing.boxes:
        assert (box.x >= 0, box.y >= 0, box.right <= WIDTH, box.bottom <= drawing.height) == (True,) * 4
    for line in drawing.lines:
        start, end = boxes[line.start], boxes[line.end]
        assert (line.x1, line.x2) == (start.right, end.x)
        assert start.y <= line.y1 <= start.bottom
        assert end.y <= line.y2 <= end.bottom


@given(strands())
def test_a_strand_is_drawn_without_overlaps_and_its_lines_end_at_boxes(strand: Strand) -> None:
    drawing = lay_out(strand)
    check(drawing)
    assert len(drawing.boxes) == sum(map(len, strand.columns))
    assert len(drawing.lines) == len(strand.called) + (1 if strand.through and strand.reached else 0)
    assert drawing == lay_out(strand)


@given(st.lists(strands(), min_size=1, max_size=5))
def test_strands_below_each_other_keep_apart(some: list[Strand]) -> None:
    drawing = below_each_other(map(lay_out, some), top=60)
    check(drawing)
    assert min(box.y for box in drawing.boxes) >= 60


@given(texts, st.integers(20, 400), st.booleans())
def test_a_text_is_cut_only_when_it_must_be(text: str, width: int, is_bold: bool) -> None:
    short = shortened(text, width, 12, is_bold=is_bold)
    assert short == text or (short.endswith(ELLIPSIS) and len(short) <= len(text) and text.startswith(short[:-1]))
    assert shortened(text, 90 * 13, 12) == text


def test_what_is_missing_and_what_is_only_shown_have_lines_of_their_own() -> None:
    number, landline = (Node(kind, kind, ("+1",)) for kind in (Kind.NUMBER, Kind.LANDLINE))
    profile, away = Node("profile", Kind.PROFILE, ("Sales",)), Node("pbx", Kind.REACHED, ("Not registered",), tone="warn", blocks=True)
    drawing = lay_out(Strand((number, landline), profile, away))
    assert [line.kind for line in drawing.lines] == ["calls", "shown", "missing"]
    assert Strand((number,), profile, away).needs_attention
    assert not Strand((number,), profile, None).needs_attention
