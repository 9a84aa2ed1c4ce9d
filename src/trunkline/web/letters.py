"""Letters with a secret in them: sent at once, and kept nowhere. (Notices go through the outbox, see `usecases.mail`.)"""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from trunkline.usecases.invitations import INVITATION_LASTS, Invited

log = structlog.get_logger()


def send_letter(name: str, to: str, context: dict[str, Any]) -> bool:
    """`web/mail/<name>.txt`, its first line is the subject. False: the mail server did not take it."""
    subject, _, text = render_to_string(f"web/mail/{name}.txt", context).partition("\n")
    try:
        EmailMessage(subject, text.strip() + "\n", to=[to]).send()
    except (OSError, SMTPException) as problem:
        log.warning("letter not sent", letter=name, problem=str(problem))
        return False
    return True


def send_invitation(invited: Invited, *, inviter: str) -> bool:
    """The token is in the letter and nowhere else. False: the mail server did not take it."""
    context = {
        "company_name": invited.company_name,
        "inviter": inviter,
        "days": INVITATION_LASTS.days,
        "link": f"{settings.INSTANCE.web_url}/invitation/{invited.token}",
    }
    return send_letter("invitation", invited.email, context)
