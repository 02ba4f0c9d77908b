"""The forms of a case: a new request, a reply, a file.

What a request must have is decided by `use_cases.help_desk.opening`, in its words.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.files import uploadedfile

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.provider import form_keys
from cvms_pipeline.use_cases.help_desk import opening, people

_FILE = {"accept": ".csv,.txt,.tsv,text/csv"}
_ROWS = {"rows": 6}


class KeyedForm(forms.Form):
    """A form that counts once, however often it is sent."""

    use_required_attribute = False  # the summary says what is missing
    key = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give a form that nobody has sent a key."""
        key = form_keys.make_key(form_keys.CASE)
        kwargs["initial"] = {"key": key, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    def choose_key(self, person: people.Person) -> str:
        """Return the name of what was sent, and by whom."""
        typed = dict(self.cleaned_data)
        file = typed.pop("file", None)
        texts = repr(sorted((name, str(value)) for name, value in typed.items()))
        data = texts.encode("utf-8", "surrogatepass") + (
            read_file(file).data if file else b""
        )
        return form_keys.choose_key(
            typed["key"], form_keys.CASE, account_id=person.account_id, data=data
        )


class RequestForm(KeyedForm):
    """HCP Onboarding & Recipient Bulk Upload."""

    kind = forms.ChoiceField(label="Request type", required=False)
    vfc_pin = forms.CharField(
        label="VFC PIN",
        required=False,
        max_length=20,
        help_text="NCA and 6 digits, or VAC2021 if your location has none.",
    )
    organisation = forms.CharField(
        label="Organisation",
        required=False,
        max_length=cases.MAX_NAME,
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    name = forms.CharField(
        label="Requestor name",
        required=False,
        max_length=cases.MAX_NAME,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = forms.CharField(
        label="Requestor e-mail",
        required=False,
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    file = forms.FileField(
        label="Attachment",
        required=False,
        allow_empty_file=True,
        help_text="A CSV file; required for a bulk upload.",
        widget=forms.FileInput(_FILE),
    )
    details = forms.CharField(
        required=False, max_length=cases.MAX_TEXT, widget=forms.Textarea(_ROWS)
    )
    upload = forms.CharField(required=False, widget=forms.HiddenInput)
    line = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    recipient = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the kinds of requests."""
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)  # noqa: S101 # so mypy knows it
        words = [(each.value, each.words) for each in cases.ASKED]
        kind.choices = [("", "Choose one"), *words]

    def make_request(self) -> opening.Request:
        """Return what was typed, as the use case takes it."""
        typed: Mapping[str, Any] = self.cleaned_data
        recipient = typed["recipient"]
        return opening.Request(
            kind=cases.Kind(typed["kind"]) if typed["kind"] else None,
            vfc_pin=typed["vfc_pin"],
            organisation=typed["organisation"],
            name=typed["name"],
            email=typed["email"],
            details=typed["details"],
            file=read_file(typed["file"]) if typed["file"] else None,
            upload_id=typed["upload"] or None,
            line=typed["line"],
            recipient_id=None if recipient is None else str(recipient),
        )

    def add_problems(self, found: Iterable[opening.Problem]) -> None:
        """Say what is wrong beside the fields."""
        for problem in found:
            is_field = problem.field in self.fields
            text = f"{problem.message}."
            self.add_error(problem.field if is_field else None, text)


class ReplyForm(KeyedForm):
    """A text that somebody writes into a case."""

    text = forms.CharField(
        label="Your reply",
        max_length=cases.MAX_TEXT,
        widget=forms.Textarea(_ROWS),
        error_messages={"required": "Type your reply."},
    )


class FileForm(KeyedForm):
    """One more file."""

    file = forms.FileField(
        label="Another file",
        allow_empty_file=True,
        error_messages={"required": "Choose a file first."},
        widget=forms.FileInput(_FILE),
    )


def read_file(sent: "uploadedfile.UploadedFile[bytes]") -> opening.AttachedFile:
    """Return a file that was sent, as use cases take it."""
    sent.seek(0)
    return opening.AttachedFile(file_name=sent.name or "", data=sent.read())
