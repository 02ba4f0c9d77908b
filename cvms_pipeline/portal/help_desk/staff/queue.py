"""The queue of the help desk: counts, filters, search by number, the oldest first.

What is filtered by stays on the server, in the session.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms, http, shortcuts
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import models, recording
from cvms_pipeline.portal.help_desk import shown_cases, visiting
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases.help_desk import reading

_FILTER = "queue_filter"
_ANY = ("", "Any")


class FilterForm(forms.Form):
    """Which cases are shown."""

    number = forms.CharField(required=False, max_length=40, label="Case number")
    state = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False, label="Request")
    priority = forms.ChoiceField(required=False)
    assignee = forms.ChoiceField(required=False, label="Assigned to")
    overdue = forms.ChoiceField(required=False, label="Waiting")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the words of the vocabulary, and the staff."""
        super().__init__(*args, **kwargs)
        staff = models.Account.list_staff()
        self._offer("state", [("", "All that are open"), *_list_words(cases.State)])
        self._offer("kind", [_ANY, *_list_words(cases.Kind)])
        self._offer("priority", [_ANY, *_list_words(cases.Priority)])
        self._offer("assignee", [("", "Anybody"), (reading.NOBODY, "Nobody"), *staff])
        self._offer("overdue", [_ANY, ("yes", "Overdue")])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 # so mypy knows it
        field.choices = choices


@methods.require_http_methods(["GET", "HEAD", "POST"])
def show_queue(request: http.HttpRequest) -> http.HttpResponse:
    """Show a page of the queue; a POST remembers the filter."""
    if request.method == "POST":
        form = FilterForm({} if "all" in request.POST else request.POST)
        if not form.is_valid():
            return _render(request, form, {})
        typed = form.cleaned_data.items()
        request.session[_FILTER] = {name: value for name, value in typed if value}
        return shortcuts.redirect("queue")
    saved = request.session.get(_FILTER, {})
    form = FilterForm(saved)
    chosen = form.cleaned_data if form.is_valid() else {}
    return _render(request, FilterForm(initial=saved), chosen)


def _render(
    request: http.HttpRequest, form: FilterForm, chosen: Mapping[str, Any]
) -> http.HttpResponse:
    wanted = _read_wanted(request, chosen)
    page = reading.list_queue(recording.open_pipeline(request), wanted)
    context = {
        "cases": shown_cases.describe_lines(page.lines),
        "counts": [
            (
                state.value,
                state.words,
                _write_count(page.counts[state]),
                state is wanted.state,
            )
            for state in cases.State
        ],
        "total": f"{_write_count(page.total)} {'case' if page.total == 1 else 'cases'}",
        "is_filtered": any(chosen.values()),
        **visiting.describe_place(page),
    }
    return faults.render_form(request, "help_desk/queue.html", form, **context)


def _read_wanted(
    request: http.HttpRequest, chosen: Mapping[str, Any]
) -> reading.Wanted:
    state, kind = chosen.get("state"), chosen.get("kind")
    priority, place = chosen.get("priority"), visiting.read_place(request)
    return reading.Wanted(
        state=cases.State(state) if state else None,
        kind=cases.Kind(kind) if kind else None,
        priority=cases.Priority(int(priority)) if priority else None,
        assignee=chosen.get("assignee") or None,
        is_overdue=bool(chosen.get("overdue")),
        words=chosen.get("number", ""),
        after=place["after"],
        before=place["before"],
    )


def _write_count(number: int) -> str:
    """Return a number of cases; above the highest one they are not counted."""
    return f"{number:,} or more" if number >= reading.MAX_COUNTED else f"{number:,}"


def _list_words(
    known: type[cases.State] | type[cases.Kind] | type[cases.Priority],
) -> Sequence[tuple[str, str]]:
    return [(str(each.value), each.words) for each in known]
