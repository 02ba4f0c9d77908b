"""What pages show of what is left of an upload: rows to correct, relatives, withdrawal.

The pages that change something are `corrections`.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from django import http

from cvms_pipeline.portal.provider import form_keys
from cvms_pipeline.use_cases import history, pipelines
from cvms_pipeline.use_cases.provider_actions import correct, outstanding, withdraw

_MAX_SETTLED = 100
_STATES = {
    "brought back": "Came back in a later upload",
    "dismissed": "Dismissed",
    "nothing to do": "The person is loaded already",
}


def describe(
    pipeline: pipelines.Pipeline, found: history.Upload, request: http.HttpRequest
) -> Mapping[str, Any]:
    """Return what the page of an upload shows, with the first rows to correct."""
    rows = history.read_rejected_rows(pipeline, found)
    states = outstanding.read_states(pipeline, found)
    texts = rows["message"].to_dict()
    settled = [
        (line, texts[line].partition(": ")[2], _describe_state(found, state))
        for line, state in states.items()
        if not state.is_outstanding
    ]
    return {
        "rows": len(rows),
        "settled": settled[:_MAX_SETTLED],
        "more_rows": max(0, len(settled) - _MAX_SETTLED),
        "relatives": outstanding.list_relatives(pipeline, found),
        "can_withdraw": withdraw.can_withdraw(pipeline, found),
        **_describe_form(rows, states, request),
    }


def describe_form(
    pipeline: pipelines.Pipeline, found: history.Upload, request: http.HttpRequest
) -> Mapping[str, Any]:
    """Return the rows of a page that are outstanding, with what was typed into them."""
    rows = history.read_rejected_rows(pipeline, found)
    states = outstanding.read_states(pipeline, found)
    return _describe_form(rows, states, request)


def _describe_form(
    rows: pd.DataFrame,
    states: Mapping[int, outstanding.RowState],
    request: http.HttpRequest,
) -> Mapping[str, Any]:
    number = request.GET.get("page", "")
    page = int(number) if number.isascii() and number.isdecimal() else 1
    found, pages = correct.list_rows(
        rows, states, page=min(page, 1_000_000), typed=request.POST.dict()
    )
    return {
        "rows_to_correct": found,
        "form_page": min(max(page, 1), pages),
        "form_pages": pages,
        "form_numbers": range(1, pages + 1),
        "form_key": request.POST.get("key") or form_keys.make_key(form_keys.CORRECTION),
        "form_why": request.POST.get("why", ""),
    }


def _describe_state(found: history.Upload, state: outstanding.RowState) -> str:
    if found.withdrawn_at is not None:
        return "Withdrawn with the upload"
    words = _STATES[state.describe()]
    return f"{words}: {state.dismissed_why}" if state.dismissed_why else words
