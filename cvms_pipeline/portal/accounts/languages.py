"""In which language the pages speak: English or Spanish.

Before a log-in it is what the browser asks for, or what was chosen with the button in
the frame.  A recipient's choice is stored and goes before that.  All other accounts are
spoken to in English, because their pages are in English alone.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django import http
from django.conf import settings
from django.utils import translation
from django.views import i18n
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import programme
from cvms_pipeline.portal.accounts import models, recording
from cvms_pipeline.use_cases.recipients import access

CHOSEN = "cvms_language"
"""The key in a session of the language that a recipient has chosen."""

_ENGLISH = "en"

_Next = Callable[[http.HttpRequest], http.HttpResponse]


class Language(NamedTuple):
    """A language with its own name for itself."""

    code: str
    name: str


class Languages:
    """Lets pages speak the language of whoever is logged in.

    Comes after Django's own middleware, which has decided by cookie and browser: when
    the database is away, that is what the page about it is in.
    """

    def __init__(self, get_response: _Next) -> None:
        """Take the rest of the chain."""
        self._get_response = get_response

    def __call__(self, request: http.HttpRequest) -> http.HttpResponse:
        """Answer a request."""
        if request.user.is_authenticated:
            chosen = request.session.get(CHOSEN, translation.get_language())
            translation.activate(chosen if _may_choose(request) else _ENGLISH)
        return self._get_response(request)


@methods.require_POST
def choose_language(request: http.HttpRequest) -> http.HttpResponseBase:
    """Remember the language, and lead back to the page."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        choose(request, chosen)
    return i18n.set_language(request)


def choose(request: http.HttpRequest, chosen: str) -> None:
    """Remember the language of whoever is logged in; of a recipient for good."""
    account = request.user
    if not isinstance(account, models.Account):
        return
    request.session[CHOSEN] = chosen
    if account.recipient is not None:
        pipeline = recording.open_pipeline(request)
        access.set_language(pipeline, str(account.recipient), chosen)


def remember(request: http.HttpRequest, user: models.Account, **_: Any) -> None:
    """Let a session that begins speak the language that its recipient has chosen."""
    if user.recipient is not None:
        owner = access.get_owner(settings.CVMS.pipeline, str(user.recipient))
        if owner.language is not None:
            request.session[CHOSEN] = owner.language


def list_others(request: http.HttpRequest) -> Sequence[Language]:
    """Return the languages that can be chosen instead of the page's; none for staff."""
    now = translation.get_language()
    if not _may_choose(request):
        return []
    return [Language(*each) for each in settings.LANGUAGES if each[0] != now]


def get_language() -> programme.Language:
    """Return the language of the page."""
    is_spanish = translation.get_language() == programme.Language.SPANISH
    return programme.Language.SPANISH if is_spanish else programme.Language.ENGLISH


def get_programme_name() -> str:
    """Return what recipients call the portal, in the language of the page."""
    return str(settings.CVMS.pipeline.programme.names[get_language()])


def _may_choose(request: http.HttpRequest) -> bool:
    """Return whether this is a recipient, or somebody who has not logged in."""
    account = getattr(request, "user", None)  # not there on the pages of early faults
    return getattr(account, "role", models.Role.RECIPIENT) == models.Role.RECIPIENT
