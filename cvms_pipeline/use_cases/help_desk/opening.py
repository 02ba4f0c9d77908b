"""Opening a case: the request is checked, its file kept, its number mailed.

The file is on the disk before the transaction that writes the case and the message with
its number: whoever has been told a number finds the case, and its file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.domain.vocabulary import provider
from cvms_pipeline.store.help_desk import activity, case_files, cases
from cvms_pipeline.use_cases import history, pipelines
from cvms_pipeline.use_cases.help_desk import attaching, mails, people

AttachedFile = attaching.AttachedFile
Case = cases.Case
Kind = vocabulary.Kind
Action = vocabulary.Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks the help desk for, as it was typed.

    Attributes:
        upload_id: The upload it is about, if any; `line` is a line of it.
        recipient_id: The recipient it is about, if one was picked.
    """

    kind: Kind | None
    vfc_pin: str
    organisation: str = field(repr=False)
    name: str = field(repr=False)
    email: str = field(repr=False)
    details: str = field(default="", repr=False)
    file: AttachedFile | None = None
    upload_id: str | None = None
    line: int | None = None
    recipient_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a field of a request, and how to correct it."""

    field: str
    message: str


class RequestInvalid(errors.PermanentError):
    """The request cannot be used as it is."""

    problems: tuple[Problem, ...] = ()


def check_request(
    pipeline: pipelines.Pipeline, request: Request, *, by: people.Person
) -> list[Problem]:
    """Return everything that is wrong with a request, in the order of the form."""
    found = [*_check_fields(request, by), *_check_texts(request)]
    if problem := attaching.find_problem(request.file, max_bytes=pipeline.max_bytes):
        found.append(Problem(field="file", message=problem))
    elif _lacks_file(request):
        message = "Attach the CSV file with the recipients"
        found.append(Problem(field="file", message=message))
    return found


def _lacks_file(request: Request) -> bool:
    """Return whether a file is missing; a question about an upload needs none."""
    is_bulk = request.kind is Kind.BULK_UPLOAD
    return is_bulk and request.file is None and request.upload_id is None


def open_case(
    pipeline: pipelines.Pipeline, request: Request, *, by: people.Person, key: str
) -> Case:
    """Return the case that a request has become; again with `key`, the same case.

    Raises:
        RequestInvalid: If `check_request` finds problems; they are its attribute.
        UploadUnknown: If the request is about an upload of somebody else.
    """
    with pipeline.store.begin() as conn:
        if found := cases.find_by_key(conn, by.account_id, key):
            return found
    _check_upload(pipeline, request, by)
    if problems := check_request(pipeline, request, by=by):
        refused = RequestInvalid()
        refused.problems = tuple(problems)
        raise refused
    kept = attaching.keep(pipeline, request.file)
    with pipeline.store.begin() as conn:
        opened = _add(conn, pipeline, request, by, key, kept)
        if opened is not None:
            return opened
        found = cases.find_by_key(conn, by.account_id, key)
    attaching.drop(pipeline, kept)  # the same request came twice, at once
    if found is None:
        raise cases.CaseUnknown
    return found


def _add(
    conn: engine.Connection,
    pipeline: pipelines.Pipeline,
    request: Request,
    by: people.Person,
    key: str,
    kept: case_files.CaseFile | None,
) -> Case | None:
    now = pipeline.now()
    opened = cases.add(
        conn,
        now=now,
        key=key,
        kind=request.kind,
        provider=by.provider or None,
        vfc_pin=_clean_pin(request.vfc_pin),
        organisation=request.organisation.strip(),
        requester=by.account_id,
        requester_name=request.name.strip(),
        requester_email=request.email.strip(),
        upload_id=request.upload_id,
        line=request.line,
        recipient_id=request.recipient_id,
    )
    if opened is None:
        return None
    first = activity.add(
        conn,
        now=now,
        number=opened.number,
        action=Action.OPENED,
        text=request.details.strip(),
        **people.describe_author(by),
    )
    if kept is not None:
        case_files.add(conn, opened.number, kept)
    mails.queue(conn, pipeline, opened, first, mails.About.OPENED)
    mails.tell_help_desk(conn, pipeline, opened, first)
    return opened


def _check_upload(
    pipeline: pipelines.Pipeline, request: Request, by: people.Person
) -> None:
    if request.upload_id is not None:
        whose = None if by.is_staff else by.provider
        history.get_upload(pipeline, request.upload_id, provider=whose)


def _clean_pin(text: str) -> str:
    return text.strip().upper()


def _check_fields(request: Request, by: people.Person) -> Iterator[Problem]:
    if request.kind not in vocabulary.ASKED:
        yield Problem(field="kind", message="Choose what you need")
    if request.kind is Kind.ONBOARDING and by.provider:
        message = "Your organisation uploads already. Choose another request"
        yield Problem(field="kind", message=message)
    if not provider.is_vfc_pin(_clean_pin(request.vfc_pin)):
        message = (
            "Enter the VFC PIN: NCA and 6 digits, such as NCA123456, or VAC2021 if you"
            " have none"
        )
        yield Problem(field="vfc_pin", message=message)
    for name, label in (("organisation", "organisation"), ("name", "requestor")):
        if problem := _check_name(getattr(request, name), label):
            yield Problem(field=name, message=problem)
    email = request.email.strip()
    if not provider.is_email(email):
        message = "Enter an e-mail address, such as staff@example.org"
        yield Problem(field="email", message=message)
    elif not by.is_staff and email.casefold() != by.email.casefold():
        message = (
            "Enter the e-mail address of your account: messages about the case go there"
        )
        yield Problem(field="email", message=message)


def _check_name(text: str, label: str) -> str | None:
    if not text.strip():
        return f"Enter the name of the {label}"
    if len(text) > vocabulary.MAX_NAME or not text.strip().isprintable():
        return (
            f"Enter the name of the {label} on one line, with at most"
            f" {vocabulary.MAX_NAME} characters"
        )
    return None


def _check_texts(request: Request) -> Iterator[Problem]:
    if len(request.details) > vocabulary.MAX_TEXT:
        message = f"Shorten the details to at most {vocabulary.MAX_TEXT:,} characters"
        yield Problem(field="details", message=message)
    is_removal = request.kind is Kind.REMOVAL
    if is_removal and not request.recipient_id and not request.details.strip():
        message = "Say who is to be removed, and why"
        yield Problem(field="details", message=message)
