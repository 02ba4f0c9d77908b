"""What the pages of cases begin with: who asks, which case, and in which order.

A case that is not the asker's answers like one that does not exist.
"""

import uuid

from django import http
from django.utils.http import content_disposition_header

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import people, reading


def read_person(request: http.HttpRequest) -> people.Person:
    """Return who is logged in, as use cases know people."""
    return roles.get_account(request).person


def read_number(text: str) -> int:
    """Return the number of a case in an address, or answer 404."""
    number = cases.parse_number(text)
    if number is None:
        raise http.Http404
    return number


def find_own(
    request: http.HttpRequest, number: str
) -> tuple[pipelines.Pipeline, people.Person, reading.CaseView]:
    """Return a case of the requester, or answer 404."""
    pipeline, person = recording.open_pipeline(request), read_person(request)
    try:
        found = reading.get_own_case(pipeline, read_number(number), by=person)
    except reading.CaseUnknown:
        raise http.Http404 from None
    return pipeline, person, found


def find_any(
    request: http.HttpRequest, number: str
) -> tuple[pipelines.Pipeline, people.Person, reading.CaseView]:
    """Return a case for the staff, or answer 404; the audit records who read it."""
    pipeline, person = recording.open_pipeline(request), read_person(request)
    try:
        found = reading.get_case(pipeline, read_number(number), by=person)
    except reading.CaseUnknown:
        raise http.Http404 from None
    return pipeline, person, found


def send_file(
    pipeline: pipelines.Pipeline, number: int, file_id: str, person: people.Person
) -> http.HttpResponse:
    """Send an attached file to be saved, never to be shown; or answer 404."""
    try:
        file = reading.read_file(pipeline, number, file_id, by=person)
    except (reading.CaseUnknown, reading.FileUnknown):
        raise http.Http404 from None
    response = http.HttpResponse(file.data, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = (
        content_disposition_header(True, file.file_name) or "attachment"
    )
    return response


def read_place(request: http.HttpRequest) -> dict[str, int | None]:
    """Return behind or before which case a page of a list begins or ends."""
    asked = {name: request.GET.get(name, "") for name in ("after", "before")}
    return {name: cases.parse_number(text) for name, text in asked.items()}


def describe_place(page: reading.CasePage) -> dict[str, str]:
    """Return the links to the pages before and after a page of a list."""
    if not page.lines:
        return {"earlier": "", "later": ""}
    first, last = (cases.format_number(page.lines[n].number) for n in (0, -1))
    return {
        "earlier": f"?before={first}" if page.has_before else "",
        "later": f"?after={last}" if page.has_after else "",
    }


def read_version(request: http.HttpRequest) -> int:
    """Return the version with which a form was shown; -1 if it says none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def read_id(text: str | None) -> str:
    """Return an id that a form has sent, or answer 404."""
    try:
        return str(uuid.UUID(text or ""))
    except ValueError:
        raise http.Http404 from None
