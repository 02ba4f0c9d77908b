"""The people of a help desk, and what they do most, in words for tests."""

import dataclasses
import uuid
from typing import Any

import installations

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.store.help_desk import cases as stored_cases
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import handling, opening, people, reading

ADDRESS = "help-desk@example.org"
DATA = "\r\n".join([installations.HEADER, installations.ANN]).encode()


def _person(name: str, number: int, **facts: Any) -> people.Person:
    return people.Person(
        account_id=str(uuid.UUID(int=number)),
        name=name,
        email=f"{name.split()[0].lower()}@example.org",
        **facts,
    )


RIA = _person("Ria Requester", 1)
OTTO = _person("Otto Other", 2)
MIA = _person("Mia Manager", 3, provider="mercy")
MAX = _person("Max Manager", 4, provider="mercy")
SAM = _person("Sam Staff", 5, is_staff=True)
SUE = _person("Sue Supervisor", 6, is_staff=True, is_supervisor=True)

FILE = opening.AttachedFile(file_name="Our staff.csv", data=DATA)
REQUEST = opening.Request(
    kind=cases.Kind.BULK_UPLOAD,
    vfc_pin="NCA765432",
    organisation="Elm Clinic",
    name=RIA.name,
    email=RIA.email,
    details="Please load our staff.",
    file=FILE,
)


def ask(by: people.Person = RIA, **facts: Any) -> opening.Request:
    """Return a request of somebody, with other facts."""
    return dataclasses.replace(REQUEST, **{"name": by.name, "email": by.email, **facts})


def open_case(
    site: installations.Installation,
    by: people.Person = RIA,
    *,
    key: str | None = None,
    **facts: Any,
) -> opening.Case:
    """Open a case as somebody."""
    key = key or uuid.uuid4().hex
    return opening.open_case(site.pipeline, ask(by, **facts), by=by, key=key)


def look(site: installations.Installation, number: int) -> reading.CaseView:
    """Return a case as staff see it."""
    return reading.get_case(site.pipeline, number, by=SAM)


def handle(
    pipeline: pipelines.Pipeline,
    number: int,
    *,
    by: people.Person,
    version: int,
    **changes: Any,
) -> None:
    """Change some of what the form of a case says, and leave the rest as it is."""
    with pipeline.store.begin() as conn:
        seen = stored_cases.get(conn, number)
    staff = {each.account_id: each for each in (SAM, SUE)}
    form = {
        "to": staff.get(seen.assignee or ""),
        "priority": seen.priority,
        "state": seen.state,
        **changes,
    }
    handling.handle(pipeline, number, by=by, version=version, **form)
