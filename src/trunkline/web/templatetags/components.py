"""The parts that pages are made of (docs/reference/web-components.md). In every template without `load`."""

from __future__ import annotations

import json
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_timedelta
from django import template
from django.forms import BoundField, CheckboxInput, Form
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from trunkline.domain import money as amounts
from trunkline.web.acting import engines_now
from trunkline.web.actions import PHONE_NUMBERS, name_of, said
from trunkline.web.icons import ICONS

register = template.Library()
MICROSECONDS = 1_000_000
E164_IN_TEXT = re.compile(r"(?<![\w:@+])\+[0-9]{8,15}(?![\w@)])")
TONES = ("neutral", "good", "warn", "bad", "info")


@register.simple_tag
def icon(name: str, text: str = "") -> SafeString:
    """A drawing; `text` for those who can't see it, else it is decoration."""
    path = format_html('<path d="{}"/>', ICONS[name])
    if text:
        return format_html('<svg class="icon" viewBox="0 0 24 24" role="img" aria-label="{}">{}</svg>', text, path)
    return format_html('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>', path)


@register.simple_tag
def badge(text: str, tone: str = "neutral") -> SafeString:
    """A state in a word or two; never told by colour alone."""
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"badge: {tone!r} is none of {', '.join(TONES)}")
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


@register.simple_block_tag
def card(content: str, title: str = "", icon_name: str = "", flush: bool = False) -> str:  # noqa: FBT001, FBT002 - {% card flush=True %}
    """A sheet with a heading. `flush`: what is inside reaches its edges (tables, rows)."""
    return render_to_string("web/parts/card.html", {"content": content, "title": title, "icon_name": icon_name, "flush": flush})


@register.simple_block_tag
def row(content: str, label: str, icon_name: str = "", href: str = "") -> str:
    """A row of a profile: the whole of it leads to its actions."""
    return render_to_string("web/parts/row.html", {"content": content, "label": label, "icon_name": icon_name, "href": href})


@register.simple_block_tag
def notice(content: str, tone: str = "info", title: str = "") -> str:
    """Something to know before going on."""
    symbol = {"good": "check", "warn": "warning", "bad": "warning"}.get(tone, "info")
    return render_to_string("web/parts/notice.html", {"content": content, "tone": tone, "title": title, "symbol": symbol})


@register.simple_block_tag
def empty(content: str, title: str, icon_name: str = "info") -> str:
    """An empty place that says what belongs there, and how it gets there."""
    return render_to_string("web/parts/empty.html", {"content": content, "title": title, "icon_name": icon_name})


@register.simple_tag
def crumbs(*steps: str) -> str:
    """Text and URL in turn; the last one is here and has no URL: `{% crumbs "Trunks" trunks_url profile.name %}`."""
    links = [(steps[at], steps[at + 1]) for at in range(0, len(steps) - 1, 2)]
    return render_to_string("web/parts/crumbs.html", {"links": links, "here": steps[-1]})


@register.simple_tag
def field(bound: BoundField, hint: str = "") -> str:
    """Label, control, help and errors, tied together for screen readers. `hint` replaces the field's own help text."""
    described = _described_by(bound, hint)
    attributes: dict[str, str | bool] = {"aria-describedby": described} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    control = bound.as_widget(attrs=attributes)
    what = {"bound": bound, "control": control, "help": hint or bound.help_text, "is_check": isinstance(bound.field.widget, CheckboxInput)}
    return render_to_string("web/parts/field.html", what)


def _described_by(bound: BoundField, hint: str = "") -> str:
    """The ids of help and errors."""
    parts = [f"{bound.auto_id}_help"] if hint or bound.help_text else []
    return " ".join([*parts, f"{bound.auto_id}_error"] if bound.errors else parts)


@register.simple_tag
def choices(bound: BoundField) -> str:
    """One or several of a few, all in sight."""
    return render_to_string("web/parts/choices.html", {"bound": bound, "described": _described_by(bound)})


@register.simple_tag
def fields(form: Form) -> SafeString:
    """The errors of a form as a whole, then all its fields. `csrf_token` is the page's business."""
    hidden = format_html_join("", "{}", ((bound,) for bound in form.hidden_fields()))
    shown = format_html_join("", "{}", ((field(bound),) for bound in form.visible_fields()))
    return format_html("{}{}{}", form_errors(form), hidden, shown)


@register.simple_tag
def form_errors(form: Form) -> str:
    problems = form.non_field_errors()
    return render_to_string("web/parts/form_errors.html", {"problems": problems}) if problems else mark_safe("")


@register.simple_tag
def copyable(value: str, label: str, secret: bool = False) -> str:  # noqa: FBT001, FBT002 - {% copyable … secret=True %}
    """A value with a button that copies it; without JavaScript it can be marked and copied."""
    return render_to_string("web/parts/copyable.html", {"value": value, "label": label, "secret": secret})


@register.simple_tag
def copy_button(target: str, label: str) -> SafeString:
    """Copies the text of the element with that id. Is there only with JavaScript."""
    return format_html(
        '<button type="button" class="button button-small js-only" data-copy="{}" aria-label="Copy {}">{}<span>Copy</span></button>',
        target,
        label,
        icon("copy"),
    )


@register.filter
def money(micros: int | None, currency: str) -> str:
    """12340000|money:"USD" → $12.34, never rounded."""
    return "" if micros is None else amounts.for_people(micros, currency)


@register.filter
@lru_cache(maxsize=4_096)
def phone(e164: str) -> str:
    """Digits as people read them; anything else as it is."""
    import phonenumbers  # noqa: PLC0415 - a large table: only pages with numbers need it

    try:
        parsed = phonenumbers.parse(f"+{e164.lstrip('+')}")
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@register.filter
def phones(text: str) -> str:
    """A text with its numbers, those in E.164 with a +, as people read them. Prefixes in brackets and addresses stay as they are."""
    return E164_IN_TEXT.sub(lambda found: phone(found[0]), text)


@register.filter(name="said")
def sentence(action: str) -> str:
    """An action of the audit log, as people say it."""
    return said(action)


@register.filter
def country(code: str) -> str:
    return str(Locale("en").territories.get(code, code))


@register.filter
def duration(seconds: int | None) -> str:
    """3675 → 1:01:15."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.simple_tag
def changes(before: dict[str, Any], after: dict[str, Any]) -> SafeString:
    """An entry of the log: each value that was set, and what it was."""
    names = [*after, *(name for name in before if name not in after)]
    rows = ((_name(name), _was(before, name), _is(name, after)) for name in names)
    listed = format_html_join("", "<li>{}: {}{}</li>", rows)
    return format_html('<ul class="changes">{}</ul>', listed) if listed else mark_safe("")


def _name(value: str) -> str:
    return country(value) if _is_country(value) else name_of(value)


def _is_country(value: str) -> bool:
    """Caller IDs by country are entries of country codes and numbers."""
    return len(value) == 2 and value.isupper()


def _was(before: dict[str, Any], name: str) -> SafeString:
    old = before.get(name)
    return mark_safe("") if old in (None, "") else format_html("<del>{}</del> ", _shown(name, old))


def _is(name: str, after: dict[str, Any]) -> str:
    return _shown(name, after[name]) if after.get(name) not in (None, "") else "–" if name in after else ""


def _shown(name: str, value: Any) -> str:
    if name.endswith("_micros") and isinstance(value, int):
        return amounts.decimal_text(value)
    if (name in PHONE_NUMBERS or _is_country(name)) and isinstance(value, str):
        return phone(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | int | None, style: str = "minute") -> SafeString | str:
    """A moment in the company's time zone; the mouse shows UTC. An integer is microseconds since the epoch. `style`: minute, second, day."""
    if at is None:
        return "–"
    utc = _aware(at)
    here = utc.astimezone(_zone(context))
    shown = {"minute": "%-d %b %Y, %H:%M", "second": "%-d %b %Y, %H:%M:%S", "day": "%-d %b %Y"}[style]
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC", here.strftime(shown)
    )


@register.simple_tag
def ago(at: datetime | int | None) -> SafeString | str:
    """3 minutes ago; in 5 hours."""
    if at is None:
        return "never"
    utc = _aware(at)
    distance = utc - engines_now()
    text = "just now" if abs(distance) < timedelta(seconds=10) else format_timedelta(distance, add_direction=True, locale="en")
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M:%S} UTC", text)


def _aware(at: datetime | int) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromtimestamp(at / MICROSECONDS, tz=UTC)


def _zone(context: Context) -> zoneinfo.ZoneInfo:
    company = context.get("company")
    return zoneinfo.ZoneInfo(company.time_zone if company else "UTC")
