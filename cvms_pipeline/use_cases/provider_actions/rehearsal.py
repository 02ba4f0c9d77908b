"""What a portal does before it is asked, so that the first review is not slow."""

import contextlib
from dataclasses import replace

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files.portal_files import reviewed
from cvms_pipeline.use_cases import check, pipelines
from cvms_pipeline.use_cases.provider_actions import review

_REHEARSED = """First name,Last name,Date of birth,Email
Ann,Lee,1/2/1990,ann@example.org
Ann,Lee,1/2/1990,ann@example.org
Lee,Ann,1/2/1990,lee@example.org
Ann,Orr,1/2/1990,ann@example.org
\N{LATIN CAPITAL LETTER E WITH ACUTE}va,,13/41/1991,nobody
Cy#,Lee
a,b,c,d,e
""".encode()
"""Rows of every kind, of nobody."""


def rehearse(pipeline: pipelines.Pipeline) -> review.Review:
    """Return the review of an invented file: it imports all that one needs.

    Nothing is stored, and no database is needed.
    """
    now = pipeline.now()
    checked = check.check_alone(
        _REHEARSED,
        lane=upload.Lane.LOW_VOLUME,
        today=pipeline.today(now),
        max_bytes=pipeline.max_bytes,
    )
    file = reviewed.ReviewedFile(
        id=upload.make_id(now),
        file_name="",
        provider="",
        sent_by="",
        sha256=upload.compute_sha256(_REHEARSED),
        begun_at=now,
    )
    return replace(review.show(checked), file=file)


def connect(pipeline: pipelines.Pipeline) -> None:
    """Open a connection to the store, unless it is away; the first review uses it."""
    with contextlib.suppress(errors.TransientError), pipeline.store.begin():
        pass
