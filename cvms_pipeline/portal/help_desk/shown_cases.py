"""How cases look on pages: their state, priority and activity in words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.provider import shown_uploads
from cvms_pipeline.use_cases import history, pipelines
from cvms_pipeline.use_cases.help_desk import reading

_LOOKS = {
    cases.State.NEW: "info",
    cases.State.IN_PROGRESS: "info",
    cases.State.WAITING: "warning",
    cases.State.RESOLVED: "good",
    cases.State.CLOSED: "",
}
_HELP_DESK = "Help desk"
"""What requesters read in place of the name of one of the staff."""

_SENTENCES = {
    cases.Action.OPENED: "has opened the case",
    cases.Action.REPLIED: "has written",
    cases.Action.NOTED: "has noted, for the staff only",
    cases.Action.FILE_ADDED: "has added a file",
    cases.Action.LOADED: "has loaded the file",
    cases.Action.PROVIDER_ADDED: "has added the provider",
    cases.Action.ONBOARDING_REFUSED: "has refused the onboarding",
    cases.Action.REMOVAL_ASKED: "has asked for the removal, which somebody approves",
    cases.Action.REMOVED: "has removed the recipient",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownActivity:
    """What somebody has done, in words."""

    who: str = field(repr=False)
    sentence: str
    at: dt.datetime
    text: str = field(repr=False)
    is_staff: bool
    is_internal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """A case, and its facts in words."""

    facts: reading.CaseView = field(repr=False)
    number: str
    kind: str
    state: str
    look: str
    priority: str
    activity: Sequence[ShownActivity]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A case in a list, and its facts in words."""

    facts: reading.CaseLine = field(repr=False)
    number: str
    kind: str
    state: str
    look: str
    priority: str


def describe(found: reading.CaseView, *, is_for_staff: bool) -> ShownCase:
    """Return a case with its words; requesters do not read who of the staff it was."""
    return ShownCase(
        facts=found,
        activity=[
            _describe_activity(each, is_for_staff=is_for_staff)
            for each in found.activity
        ],
        **_find_words(found),
    )


def describe_lines(found: Sequence[reading.CaseLine]) -> Sequence[ShownLine]:
    """Return the cases of a list with their words."""
    return [ShownLine(facts=each, **_find_words(each)) for each in found]


def describe_uploads(
    pipeline: pipelines.Pipeline, found: reading.CaseView
) -> Sequence[shown_uploads.ShownUpload]:
    """Return the uploads that the files of a case have become, with their words."""
    ids = [each.upload_id for each in found.files if each.upload_id and each.loaded_at]
    return shown_uploads.describe_all([history.get_upload(pipeline, i) for i in ids])


def _find_words(found: reading.CaseView | reading.CaseLine) -> dict[str, str]:
    return {
        "number": cases.format_number(found.number),
        "kind": found.kind.words,
        "state": found.state.words,
        "look": _LOOKS[found.state],
        "priority": found.priority.words,
    }


def _describe_activity(
    activity: reading.Activity, *, is_for_staff: bool
) -> ShownActivity:
    is_named = is_for_staff or not activity.is_staff
    return ShownActivity(
        who=activity.author_name if is_named else _HELP_DESK,
        sentence=_describe_action(activity),
        at=activity.written_at,
        text=activity.text,
        is_staff=activity.is_staff,
        is_internal=activity.is_internal,
    )


def _describe_action(activity: reading.Activity) -> str:
    details = activity.details
    if activity.action is cases.Action.STATE_CHANGED:
        return f"has set the state to {cases.State(details['to']).words}"
    if activity.action is cases.Action.PRIORITY_CHANGED:
        return f"has set the priority to {cases.Priority(details['to']).words}"
    if activity.action is cases.Action.ASSIGNED:
        return "has assigned the case" if details.get("to") else "has unassigned it"
    return _SENTENCES[activity.action]
