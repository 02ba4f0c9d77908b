"""Contact and Demographic Detail: the fields of the form, and how answers are shown.

Which answers are right is decided by `registration.clean`; here is only how each is
asked for, and what is said about one that is wrong.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms, http
from django.utils import html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cvms_pipeline.domain.vocabulary import registration as vocabulary
from cvms_pipeline.portal.recipient import visiting
from cvms_pipeline.use_cases.recipients import registration

NAMES = vocabulary.FIELDS

_MISSING = {
    "phone": _("Type your phone number."),
    "address_1": _("Type the street and house number."),
    "city": _("Type the city."),
    "state": _("Choose the state."),
    "zip": _("Type the ZIP code."),
    "county": _("Type or choose the county."),
    "sex": _("Choose an answer about your sex."),
    "races": _("Choose at least one answer about your race."),
    "ethnicity": _("Choose an answer about your ethnicity."),
    "language": _("Choose the language that you prefer."),
    "vaccine_group": _("Choose your vaccine group."),
}
_WRONG = {
    registration.Fault.TOO_LONG: _("Use at most 200 ordinary letters and digits here."),
    registration.Fault.NO_PHONE: _(
        "Type the phone number with its area code, like 919-555-0123."
    ),
    registration.Fault.NO_ZIP: _(
        "Type the ZIP code with five or nine digits, like 27601."
    ),
    registration.Fault.NO_CHOICE: _("Choose one of the answers that are offered."),
}


def _typed(label: Any, autocomplete: str, /, **attributes: str) -> forms.CharField:
    """Return a field to type into; what is missing is told by `DetailForm.clean`."""
    kind = {"autocomplete": autocomplete, **attributes}
    widget = forms.TextInput(kind)
    return forms.CharField(label=label, required=False, widget=widget)


class DetailForm(forms.Form):
    """All fields; each is a required one but for `address_2`."""

    phone = _typed(_("Phone"), "tel", type="tel")
    address_1 = _typed(_("Address, line 1"), "address-line1")
    address_2 = _typed(_("Address, line 2"), "address-line2")
    city = _typed(_("City"), "address-level2")
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        widget=forms.Select({"autocomplete": "address-level1"}),
    )
    zip = _typed(_("ZIP code"), "postal-code", inputmode="numeric")
    county = _typed(_("County"), "off")
    sex = forms.ChoiceField(label=_("Sex"), required=False, widget=forms.RadioSelect)
    races = forms.MultipleChoiceField(
        label=_("Race"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Choose all that apply."),
    )
    ethnicity = forms.ChoiceField(
        label=_("Ethnicity"), required=False, widget=forms.RadioSelect
    )
    language = forms.ChoiceField(
        label=_("Preferred language"), required=False, widget=forms.RadioSelect
    )
    vaccine_group = forms.ChoiceField(
        label=_("Vaccine group"), required=False, widget=forms.RadioSelect
    )

    def __init__(
        self,
        sent: Any = None,
        *,
        visit: visiting.Visit,
        typed: dict[str, Any] | None = None,
    ) -> None:
        """Offer the choices of the programme in the language of the page."""
        super().__init__(sent, initial=typed)
        self._visit = visit
        groups = visit.programme.list_groups(visit.language)
        counties = [(name, name) for name in visit.programme.counties]
        self._offer("state", vocabulary.STATES.items(), gettext("Choose a state"))
        self._offer_words("sex", vocabulary.SEXES)
        self._offer_words("races", vocabulary.RACES)
        self._offer_words("ethnicity", vocabulary.ETHNICITIES)
        self._offer_words("language", vocabulary.LANGUAGES)
        self._offer("vaccine_group", groups)
        self.fields["vaccine_group"].help_text = html.format_html(
            '<a href="{}" target="_blank" rel="noreferrer">{}</a>',
            visit.programme.group_url,
            gettext("Find My Vaccine Group (opens in a new tab)"),
        )
        if counties:
            label = self.fields["county"].label
            self.fields["county"] = forms.ChoiceField(label=label, required=False)
            self._offer("county", counties, gettext("Choose a county"))
        for name in vocabulary.REQUIRED:
            self.fields[name].is_starred = True  # type: ignore[attr-defined]  # ours

    def clean(self) -> None:
        """Tell what is wrong with which answer."""
        try:
            registration.clean(self._visit.pipeline, self.cleaned_data)
        except registration.AnswersInvalid as invalid:
            for name, fault in invalid.faults.items():
                if name not in self.errors:
                    self.add_error(name, _describe(name, fault))

    def describe(self, name: str, answer: str | Sequence[str]) -> str:
        """Return an answer as it is read: choices in words."""
        if name == "vaccine_group":
            shown = self._visit.programme.describe_group
            return shown(str(answer), self._visit.language)
        words = dict(getattr(self.fields[name], "choices", ()))
        codes = [answer] if isinstance(answer, str) else answer
        return ", ".join(str(words.get(code, code)) for code in codes)

    def _offer_words(self, name: str, choices: vocabulary.Choices) -> None:
        words = {code: each[self._visit.language] for code, each in choices.items()}
        self._offer(name, words.items())

    def _offer(self, name: str, choices: Any, nothing: str = "") -> None:
        first = [("", nothing)] if nothing else []
        self.fields[name].choices = [*first, *choices]  # type: ignore[attr-defined]  # has them


def read_typed(request: http.HttpRequest) -> Mapping[str, Any]:
    """Return what was typed, right or wrong, to be kept."""
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in NAMES}
    return {**typed, "races": request.POST.getlist("races")}


def _describe(name: str, fault: registration.Fault) -> Any:
    return _MISSING[name] if fault == registration.Fault.MISSING else _WRONG[fault]
