"""Search in all help texts: in memory, all words wanted, the beginning of a word is enough."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags

from trunkline.domain.refusals import REFUSALS
from trunkline.manager.help.glossary import TERMS
from trunkline.manager.help.topics import TOPICS

LONGEST_QUERY = 80
MOST_WORDS = 8
TITLE_WEIGHT = 10
"""Twice when the whole word is there."""
MOST_COUNTED = 5
"""A text that repeats a word is not the better for it."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """Somewhere to go: `route` with `argument`, at `anchor`."""

    kind: str
    title: str
    summary: str
    route: str
    argument: str
    anchor: str
    words: tuple[str, ...]

    @property
    def url(self) -> str:
        page = reverse(self.route, args=[self.argument] if self.argument else [])
        return f"{page}#{self.anchor}" if self.anchor else page

    def score(self, word: str) -> int:
        """0: the word is not there."""
        title = words_of(self.title)
        in_title = any(each.startswith(word) for each in title) + (word in title)
        in_text = sum(each.startswith(word) for each in self.words)
        return TITLE_WEIGHT * in_title + min(in_text, MOST_COUNTED)


def search(query: str) -> list[Found]:
    """The best first; of equals in the order of the guide."""
    wanted = words_of(query[:LONGEST_QUERY])[:MOST_WORDS]
    if not wanted:
        return []
    scored = [(min(scores), sum(scores), found) for found in texts() if (scores := [found.score(word) for word in wanted])]
    return [found for least, _, found in sorted(scored, key=lambda one: -one[1]) if least > 0]


def words_of(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))


@lru_cache(maxsize=1)
def texts() -> tuple[Found, ...]:
    guides = (Found("Guide", one.title, one.summary, "help_topic", one.slug, "", _read(one.template, one.summary)) for one in TOPICS)
    refusals = (
        Found(
            "Refusal",
            f"{one.code} {one.text}",
            one.remedy,
            "help_refusal",
            one.code,
            "",
            _read(f"manager/help/refusals/{one.name}.html", one.remedy),
        )
        for one in REFUSALS.values()
    )
    words = (Found("Word", one.word, one.text, "help_glossary", "", one.anchor, words_of(one.text)) for one in TERMS)
    return (*guides, *refusals, *words)


def _read(template: str, summary: str) -> tuple[str, ...]:
    return words_of(f"{summary} {html.unescape(strip_tags(render_to_string(template)))}")
