"""What all forms share: a use case's problem becomes an error beside its field, and amounts are read as the rest of the product reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django import forms

from trunkline.domain.errors import Invalid, Problem
from trunkline.domain.money import decimal_text, parse_micros

T = TypeVar("T")


class PageForm(forms.Form):
    """`done = form.act(use_case, ...)`: None when a problem was found, which the form then shows."""

    required_css_class = "required"
    field_of: ClassVar[dict[str, str]] = {}
    """A use case's name for a value -> the form's."""
    unshown: ClassVar[tuple[type[Problem], ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.Select) and field.widget.template_name == forms.Select.template_name:
                field.widget.template_name = "web/parts/select.html"  # Django's own takes 0.3 ms for each option

    def act(self, use_case: Callable[..., T], **arguments: Any) -> T | None:
        """Nothing was changed when it is None. A problem that is not to be shown has a class of its own, in `unshown`."""
        try:
            return use_case(**arguments)
        except self.unshown:
            raise
        except Problem as problem:
            self.note(problem)
            return None

    def note(self, problem: Problem) -> None:
        name = self.field_of.get(problem.field, problem.field) if isinstance(problem, Invalid) else ""
        self.add_error(name if name in self.fields else None, str(problem))


class AmountField(forms.CharField):
    """12.34 as micro-units."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"widget": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})} | kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse_micros(text)
        except Problem as problem:
            raise forms.ValidationError(str(problem)) from problem

    def prepare_value(self, value: Any) -> Any:
        return decimal_text(value) if isinstance(value, int) else value
