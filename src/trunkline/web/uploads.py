"""Uploads have an end: a body is read before a view is asked, so what is too large is turned away here."""

from __future__ import annotations

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

MOST_BYTES = 40 * 1024 * 1024
"""A price sheet has 32 MB at most (`domain.sheets`), the largest of what is uploaded."""


class Bounded(FileUploadHandler):
    """Before the handler that keeps files: by what really comes, whatever the request says of itself."""

    came_bytes = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.came_bytes += len(raw_data)
        if self.came_bytes > MOST_BYTES:
            raise StopUpload(connection_reset=True)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
