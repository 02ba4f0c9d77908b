"""The forms on a case of the staff; each has the version of the case that was shown."""

from typing import Any

from django import forms

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import models
from cvms_pipeline.portal.help_desk import case_forms
from cvms_pipeline.use_cases.help_desk import reading

_TEXT = {"rows": 6}
_CHOSEN = tuple(each for each in cases.State if each is not cases.State.NEW)
"""The states that staff may choose."""


class VersionedForm(case_forms.KeyedForm):
    """A form that is refused if the case has changed since it was shown."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: reading.CaseView, **kwargs: Any) -> None:
        """Take the case for which the form is."""
        super().__init__(*args, **kwargs)
        self.offer(case)

    def offer(self, case: reading.CaseView) -> None:
        """Offer what can be chosen for the case."""

    def _set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 # so mypy knows it
        field.choices = choices


class HandleForm(VersionedForm):
    """Who works on the case, its state and its priority."""

    assignee = forms.ChoiceField(required=False, label="Assigned to")
    state = forms.ChoiceField()
    priority = forms.ChoiceField()

    def offer(self, case: reading.CaseView) -> None:
        """Offer the staff, and the states that follow the present one."""
        states = [each for each in cases.State if each in (case.state, *_CHOSEN)]
        staff = dict(models.Account.list_staff())
        if case.assignee:  # also somebody who has left
            staff.setdefault(case.assignee, case.assignee_name)
        self._set_choices("assignee", [("", "Nobody"), *staff.items()])
        self._set_choices("state", [(each.value, each.words) for each in states])
        ranks = [(str(each.value), each.words) for each in cases.Priority]
        self._set_choices("priority", ranks)


class StaffReplyForm(VersionedForm):
    """A text that is told to the requester."""

    text = forms.CharField(
        label="Your reply",
        max_length=cases.MAX_TEXT,
        widget=forms.Textarea(_TEXT),
        help_text="The requester is told by mail that there is a reply.",
        error_messages={"required": "Type your reply."},
    )
    state = forms.ChoiceField(label="The case is then")

    def offer(self, case: reading.CaseView) -> None:
        """Offer what a case may be after a reply."""
        offered = (cases.State.WAITING, cases.State.IN_PROGRESS, cases.State.RESOLVED)
        self._set_choices("state", [(each.value, each.words) for each in offered])


class NoteForm(VersionedForm):
    """A text that only the staff reads."""

    text = forms.CharField(
        label="Note",
        max_length=cases.MAX_TEXT,
        widget=forms.Textarea(_TEXT),
        error_messages={"required": "Type the note."},
    )


class RefuseForm(VersionedForm):
    """Why an onboarding is refused; the requester reads it."""

    reason = forms.CharField(
        label="Why is it refused?",
        max_length=cases.MAX_TEXT,
        widget=forms.Textarea({"rows": 3}),
        help_text="The requester reads it on the page of the case.",
        error_messages={"required": "Say why it is refused."},
    )


class OnboardForm(VersionedForm):
    """The short name that the new provider gets in folders and commands."""

    slug = forms.CharField(
        label="Short name of the provider",
        max_length=63,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none"}),
        help_text="Lower-case letters, digits and hyphens, such as mercy-hospital. It"
        " names the provider's folders and cannot be changed.",
        error_messages={"required": "Type the short name."},
    )
