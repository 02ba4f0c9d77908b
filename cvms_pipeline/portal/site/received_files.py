"""What a browser sends: files are held in memory, bounded, and never in a folder.

Django would write larger files into the system's folder of temporary files, which is
not ours; and it would read a request of any size.
"""

import io
from collections.abc import Callable
from typing import Any

from django import http
from django.conf import settings
from django.core.files import uploadedfile, uploadhandler

from cvms_pipeline.portal.site import faults

FIELDS_BYTES = 200_000
"""How much a request may hold beside its file."""

_PIECE_BYTES = 65_536
_Next = Callable[[http.HttpRequest], http.HttpResponse]


class BoundedHandler(uploadhandler.FileUploadHandler):
    """Keeps files; of all in a request together at most one byte above the limit.

    Whoever reads a file that is too large finds that byte, and refuses it.
    """

    _room: int
    _pieces: list[bytes]

    def __init__(self, request: http.HttpRequest | None = None) -> None:
        """Begin with the whole limit."""
        super().__init__(request)
        self._room = settings.FILE_UPLOAD_MAX_MEMORY_SIZE

    def new_file(self, *arguments: Any, **facts: Any) -> None:
        """Begin the next file of the request."""
        super().new_file(*arguments, **facts)
        self._pieces = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece, as far as there is room."""
        piece = raw_data[: self._room]
        self._room -= len(piece)
        self._pieces.append(piece)

    def file_complete(self, file_size: int) -> "uploadedfile.UploadedFile[Any]":
        """Return the file."""
        data = b"".join(self._pieces)
        return uploadedfile.InMemoryUploadedFile(
            io.BytesIO(data),
            self.field_name,
            self.file_name or "",
            self.content_type,
            len(data),
            self.charset,
        )


def refuse_large(get_response: _Next) -> _Next:
    """Refuse a request that declares more than a file may have, without keeping it."""

    def middleware(request: http.HttpRequest) -> http.HttpResponse:
        limit = settings.FILE_UPLOAD_MAX_MEMORY_SIZE + FIELDS_BYTES
        declared = _read_length(request)
        if declared <= limit:
            return get_response(request)
        # A browser shows the answer only when it has sent the request.
        left = min(declared, 2 * limit)
        while left > 0 and request.META["wsgi.input"].read(min(left, _PIECE_BYTES)):
            left -= _PIECE_BYTES
        return faults.too_large(request)

    return middleware


def _read_length(request: http.HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
