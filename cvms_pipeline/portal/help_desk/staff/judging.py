"""The review of an attached file for a provider, and loading it as its upload.

What is shown is the provider's own review: the same plan, in the same words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases, provider
from cvms_pipeline.portal.help_desk import visiting
from cvms_pipeline.portal.provider import review_words
from cvms_pipeline.use_cases import drop, pipelines, providers
from cvms_pipeline.use_cases.help_desk import handling, loading, people, reading

_BUTTON = "Load for this provider"
_STALE = "Somebody else has changed the case, and nothing was loaded. Look at it again."
_DISABLED = "This provider may not upload at the moment, and nothing was loaded."
_LOADED = "The file is being loaded. This page shows what becomes of it."


@methods.require_safe
def judge_file(
    request: http.HttpRequest, number: str, file_id: str
) -> http.HttpResponse:
    """Show what would happen to each row of a file if it were loaded."""
    pipeline, person, found = visiting.find_any(request, number)
    file = _find_file(found, file_id)
    known = [each for each in providers.list_providers(pipeline) if each.is_enabled]
    slug = _choose_provider(request, found, known)
    context = {
        "number": cases.format_number(found.number),
        "version": found.version,
        "file": file,
        "providers": known,
        "provider": slug,
    }
    if slug:
        context |= _judge(request, pipeline, found, file, slug, person)
    return shortcuts.render(request, "help_desk/judge.html", context)


@methods.require_POST
def load_file(
    request: http.HttpRequest, number: str, file_id: str
) -> http.HttpResponse:
    """Load a file as an upload of a provider; the page of the case follows."""
    pipeline, person, found = visiting.find_any(request, number)
    _find_file(found, file_id)
    try:
        loading.load_file(
            pipeline,
            found.number,
            file_id,
            provider=request.POST.get("provider", ""),
            by=person,
            version=visiting.read_version(request),
        )
    except handling.StaleCase:
        messages.error(request, _STALE)
    except drop.ProviderDisabled:
        messages.error(request, _DISABLED)
    except (loading.FileLoaded, loading.FileRefused) as error:
        messages.error(request, str(error))
    except providers.ProviderUnknown:
        raise http.Http404 from None
    else:
        messages.success(request, _LOADED)
    return shortcuts.redirect("desk_case", cases.format_number(found.number))


def _find_file(found: reading.CaseView, file_id: str) -> reading.CaseFile:
    for each in found.files:
        if each.id == file_id and not each.is_removed:
            return each
    raise http.Http404


def _choose_provider(
    request: http.HttpRequest,
    found: reading.CaseView,
    known: Sequence[provider.Provider],
) -> str:
    """Return the chosen provider, that of the case, or the only one with its PIN."""
    slugs = [each.slug for each in known]
    same = [each.slug for each in known if each.vfc_pin == found.vfc_pin]
    wanted = request.GET.get("provider", found.provider or "")
    if wanted in slugs:
        return wanted
    is_certain = len(same) == 1 and found.vfc_pin != provider.GENERIC_PIN
    return same[0] if is_certain and "provider" not in request.GET else ""


def _judge(
    request: http.HttpRequest,
    pipeline: pipelines.Pipeline,
    found: reading.CaseView,
    file: reading.CaseFile,
    slug: str,
    person: people.Person,
) -> Mapping[str, Any]:
    shown = loading.judge_file(
        pipeline, found.number, file.id, provider=slug, by=person
    )
    rows = shown.checked.outcome.rows
    is_long = rows > review_words.MAX_ROWS
    only = is_long or request.GET.get("only") == "problems"
    return {
        "is_long": is_long,
        "max_rows": review_words.MAX_ROWS,
        **review_words.describe(shown, only_problems=only, button=_BUTTON),
    }
