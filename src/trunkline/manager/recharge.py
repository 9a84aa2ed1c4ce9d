"""Auto-recharge, set up: of a profile from its Manager, of a Manager from a payment method (guide 7.2, SPEC R4.2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from trunkline.store.models import RechargeRule
from trunkline.usecases import recharge_rules
from trunkline.usecases.recharge_rules import RechargeNeedsConfirmation, RechargeSaved, RechargeState
from trunkline.web.acting import acting
from trunkline.web.company import CompanyRequest
from trunkline.web.forms import AmountField, PageForm

SAVE, RESET, DISABLE = "save", "reset", "disable"


class RechargeForm(PageForm):
    """`warned_of`: the amounts that the page has warned about; saving just these again is the confirmation."""

    threshold = AmountField(label="When less than this is left")
    amount = AmountField(label="add this much")
    monthly_limit = AmountField(label="but at most, in a calendar month", required=False, help_text="Leave it empty for no limit.")
    warned_of = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def amounts(self) -> dict[str, Any]:
        return {f"{name}_micros": self.cleaned_data[name] for name in ("threshold", "amount", "monthly_limit")}


class ManagerRechargeForm(RechargeForm):
    def __init__(self, *args: Any, methods: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "The default payment method"), *((str(ident), label) for ident, label in methods)]
        self.fields["method"] = forms.TypedChoiceField(label="paid with", choices=choices, coerce=int, empty_value=None, required=False)


def settings(
    request: CompanyRequest, owner: dict[str, Any], back: str, *args: int, methods: list[tuple[int, str]] | None = None
) -> HttpResponse | dict[str, Any]:
    """What the page needs, or where to go when it is done. `owner`: its id, as the use cases name it; `methods`: a Manager's."""
    state = recharge_rules.recharge_of(**owner)
    done = _carry_out(request, owner) if request.method == "POST" and request.POST.get("do") in (RESET, DISABLE) else ""
    typed = request.POST if request.method == "POST" and not done else None
    form = (
        RechargeForm(typed, initial=_shown(state))
        if methods is None
        else ManagerRechargeForm(typed, initial=_shown(state), methods=methods)
    )
    warnings: tuple[str, ...] = ()
    if form.is_valid():
        saved = _save(request, owner, form)
        if isinstance(saved, RechargeNeedsConfirmation):
            warnings = saved.warnings
        done = "Auto-recharge is on, with these amounts." if isinstance(saved, RechargeSaved) else ""
    if done:
        messages.success(request, done)
        return redirect(back, *args)
    if warnings:
        form.data = form.data.copy()  # type: ignore[attr-defined] # a QueryDict: what was sent
        form.data["warned_of"] = _spelled(form)  # type: ignore[index] # the copy can be written
    return {"form": form, "state": state, "warnings": warnings}


def _save(request: CompanyRequest, owner: dict[str, Any], form: RechargeForm) -> RechargeSaved | RechargeNeedsConfirmation | None:
    confirmed = form.cleaned_data["warned_of"] == _spelled(form)
    method = {"method_id": form.cleaned_data["method"]} if "method" in form.cleaned_data else {}
    return form.act(recharge_rules.set_recharge, **acting(request), **owner, **form.amounts(), **method, confirmed=confirmed)


def _carry_out(request: CompanyRequest, owner: dict[str, Any]) -> str:
    """A button beside the form; what can't be done is said by a page of its own."""
    if request.POST["do"] == RESET:
        recharge_rules.reset_recharge(**acting(request), **owner)
        return "Auto-recharge is on, with the recommended amounts."
    recharge_rules.disable_recharge(**acting(request), **owner)
    return "Auto-recharge is off."


def _spelled(form: RechargeForm) -> str:
    return "/".join(str(form.cleaned_data[name]) for name in ("threshold", "amount"))


def _shown(state: RechargeState) -> dict[str, Any]:
    """What is set; or else what is recommended."""
    rule: RechargeRule | None = state.rule
    if rule is None:
        better = state.recommended
        return {"threshold": better.threshold_micros or None, "amount": better.amount_micros or None}
    return {
        "threshold": rule.threshold_micros,
        "amount": rule.amount_micros,
        "monthly_limit": rule.monthly_limit_micros,
        "method": rule.method_id,
    }
