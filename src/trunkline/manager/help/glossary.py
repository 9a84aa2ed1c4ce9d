"""The words of the product, each with what it means here."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import slugify


@dataclass(frozen=True, slots=True)
class Term:
    word: str
    text: str

    @property
    def anchor(self) -> str:
        return slugify(self.word)


TERMS = (
    Term(
        "API token",
        "A long secret with which a program acts for the company, in the role that it was made for. It is shown once, and can be revoked.",
    ),
    Term(
        "Auto-recharge",
        "Adds Credit by itself when less than a threshold is left: to a SIP Profile from the Manager's Credit, to the Manager from a stored payment "
        "method; up to a limit for each month.",
    ),
    Term(
        "barring",
        "What a SIP Profile does not call: kinds of numbers and destinations that are switched off, and what costs more a minute than it may pay.",
    ),
    Term(
        "business account",
        "A name that belongs to the company, such as Architects.Sales. Added to a SIP Profile its calls ring in the PBX, and nobody can "
        "sign in with it; otherwise it is a person who can.",
    ),
    Term("call button", "A link or a piece of a web page that calls a business account from the browser of whoever clicks it."),
    Term("caller", "Somebody who calls a business account by its name, for free: with an account of their own or just with a browser."),
    Term("Caller ID", "The number that the called person sees. Without one, calls are anonymous."),
    Term(
        "calling channel",
        "Room for one call at a time, outgoing or incoming. A SIP Profile has 1 to 300 of them, paid for 30 days at a time.",
    ),
    Term("carrier", "A company that takes calls from the operator to the telephone network, and brings those to its numbers."),
    Term("connection fee", "What a call costs once, when it is answered, beside its minutes. Many prices have none."),
    Term(
        "Credit",
        "Money that was paid ahead. The Manager has a balance, and each SIP Profile one that was allocated to it. No balance goes below zero.",
    ),
    Term("E.164", "The international form of a telephone number: + and the country's code first, at most 15 digits."),
    Term("extension", "The number of a telephone inside the PBX. A business account can be given one: its calls ring there."),
    Term("hold", "Credit that is set aside for a call in progress. What the call does not use returns when it ends."),
    Term(
        "increment",
        "The smallest part of talk time that is charged. With 60/60 each minute that has begun counts whole; with 1/1 each second does. "
        "It is paid before it is spoken.",
    ),
    Term("IP authentication", "A PBX that does not register is known by its public address and port instead of a password."),
    Term(
        "landline", "A number that the company has elsewhere. A verified company may show it as Caller ID once it is proven to be its own."
    ),
    Term(
        "Manager", "A company's account in one country: its people, Credit, SIP Profiles and numbers. A company in two countries has two."
    ),
    Term("member", "Somebody who may sign in to the Manager, in a role: administrator, billing, reports only, or read only."),
    Term(
        "minute bundle",
        "Minutes for 30 days to the landlines and mobiles of one country. Calls there draw on it first; when it is used up, the Manager's "
        "Credit pays. Minutes that are left at the end do not roll over.",
    ),
    Term("Online Number", "A telephone number that is rented by the month. Calls to it ring in the PBX of the SIP Profile that it is on."),
    Term("operator", "Who runs this service: has the carriers, the prices and the numbers, and verifies companies."),
    Term("PBX", "The telephone system of your company, with its telephones behind it. It speaks SIP with us."),
    Term("purse", "Whatever pays for talk time: a SIP Profile's Credit, the Manager's Credit, or the minutes of a bundle."),
    Term("refusal", "Why a call was not connected, as a stable code with a text, and a page that says what to do."),
    Term("registration", "A PBX says by it where it can be reached, and repeats it before it runs out. It is how calls find the way in."),
    Term("SIP Profile", "The trunk of one PBX: its credentials, calling channels, Credit, numbers and Caller ID."),
    Term("SRTP", "Encrypted voice. With TLS for the signalling nobody on the way can listen in."),
    Term("statement", "All movements of a purse in a month, with the balance after each, so that every amount can be followed."),
    Term(
        "term",
        "The time that something is paid for: 30 days for channels and bundles, a month for numbers. It renews by itself until it is cancelled.",
    ),
    Term(
        "verification",
        "The operator looks at a company's documents. Verified companies may show landlines as Caller ID, and pay more at once.",
    ),
)
BY_WORD = {term.word: term for term in TERMS}
