"""What every page of a recipient begins with: who it is, in which language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import http

from cvms_pipeline.domain.vocabulary import programme
from cvms_pipeline.portal.accounts import languages, recording, roles
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.recipients import access, registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A recipient who looks at an own page."""

    pipeline: pipelines.Pipeline
    owner: access.Owner = field(repr=False)
    language: programme.Language

    @property
    def recipient_id(self) -> str:
        """The id of the recipient."""
        return self.owner.recipient_id

    @property
    def programme(self) -> programme.Programme:
        """The vaccination programme."""
        return self.pipeline.programme

    def find_draft(self) -> registration.Draft | None:
        """Return the form as it was paused, or None."""
        return registration.get_draft(self.pipeline, self.recipient_id)

    def keep(self, step: registration.Step, answers: Mapping[str, Any]) -> None:
        """Keep what was typed so far, and at which step."""
        registration.save_draft(
            self.pipeline, self.recipient_id, step=step.value, answers=answers
        )


def begin(request: http.HttpRequest) -> Visit:
    """Return who looks at an own page, or answer 404 if the recipient was removed."""
    account = roles.get_account(request)
    pipeline = recording.open_pipeline(request)
    try:
        owner = access.get_owner(pipeline, str(account.recipient))
    except access.RecipientUnknown:
        raise http.Http404 from None
    return Visit(pipeline=pipeline, owner=owner, language=languages.get_language())
