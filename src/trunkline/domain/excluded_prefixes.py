"""Prefixes that a destination set leaves out although they lie in its country: exchanges that live from the calls they draw.

National digits by country. The list is complete: some prefixes contain others, and all are kept, so that it can be compared with its source.
"""

from __future__ import annotations

US_TRAFFIC_EXCHANGES = """
    2096471 218237 218339 218486 218548 218632 218844 218862 218895 218936 219632 5595461 605475 605477 605562 6057154
    6412104 641213 641235 641237 641262 641264 641308 641309 6413152 6413155 6413158 641388 641395 641398 641410 641453
    641509 641551 6415525 641570 641608 641612 641654 641665 641696 6417102 6417105 6417108 6417132 6417133 6417134 6417135
    6417138 6417150 6417153 641739 641749 641795 6418162 6418163 6418164 6418165 6418168 641826 641827 641865 641962 641982
    641983 641985 641992 7122276 7123387 7123388 712432 7124396 7124510 7124511 7124512 7124513 7124514 7124515 7124516
    7124517 7124720 7124756 7125416 7125686 7127256 7127266 7127379 760569 7605690 7605691 7605692 7605694 7605696 7605697
    7605821 8053601 951262 9512620 9512621 9512622 9512623
"""

LISTS: dict[str, tuple[str, str]] = {"us-traffic-exchanges": ("1", US_TRAFFIC_EXCHANGES)}
"""By name: the country's calling code, and national prefixes."""


def e164_prefixes(name: str) -> frozenset[str]:
    """The prefixes of a list as E.164 digits; of the empty name, none. Raises KeyError for a list that is not there."""
    if not name:
        return frozenset()
    code, national = LISTS[name]
    return frozenset(code + prefix for prefix in national.split())
