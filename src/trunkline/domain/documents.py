"""Files that companies upload to show who they are: what kind they are is seen in their content, not in their name (SPEC R1.4)."""

from __future__ import annotations

from trunkline.domain.errors import Invalid

MOST_BYTES = 8 * 1024 * 1024
MOST_DOCUMENTS = 10
LONGEST_NAME = 120

_BEGINNINGS = ((b"%PDF-", "application/pdf", ".pdf"), (b"\x89PNG\r\n\x1a\n", "image/png", ".png"), (b"\xff\xd8\xff", "image/jpeg", ".jpg"))
ENDINGS = {content_type: ending for _, content_type, ending in _BEGINNINGS}


def content_type_of(data: bytes) -> str:
    """Raises `Invalid` for what is not a PDF, PNG or JPEG, is empty, or too large."""
    if not data:
        raise Invalid("file", "The file is empty: choose another.")
    if len(data) > MOST_BYTES:
        raise Invalid("file", f"The file is too large: at most {MOST_BYTES // 1024 // 1024} MB.")
    for beginning, content_type, _ in _BEGINNINGS:
        if data.startswith(beginning):
            return content_type
    raise Invalid("file", "The file is neither PDF, PNG nor JPEG: save it as one of these.")


def safe_name(name: str, content_type: str) -> str:
    """Letters, digits, dots, dashes; the ending is that of its content, so that nothing opens it as something else."""
    base = name.replace("\\", "/").rpartition("/")[2]
    stem = base.rpartition(".")[0] or base
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_ ") else "-" for letter in stem)
    return (kept.strip(" -")[: LONGEST_NAME - 5] or "document") + ENDINGS[content_type]
