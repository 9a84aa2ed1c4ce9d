"""Links that help texts are made of. A word that the glossary does not have is a mistake of the text, and said at once."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from trunkline.manager.help.glossary import BY_WORD

register = template.Library()


@register.simple_tag
def term(word: str, shown: str = "") -> SafeString:
    """A word with a link to what it means: `{% term "calling channel" "channels" %}`."""
    if word not in BY_WORD:
        raise template.TemplateSyntaxError(f"term: the glossary has no {word!r}")
    return format_html('<a class="term" href="{}#{}">{}</a>', reverse("help_glossary"), BY_WORD[word].anchor, shown or word)
