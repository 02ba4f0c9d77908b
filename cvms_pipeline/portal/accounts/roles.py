"""Who may open a page: each view says it, and a page that says nothing is not there."""

from collections.abc import Callable
from typing import Any

from django import http

from cvms_pipeline.portal.accounts import models

View = Callable[..., http.HttpResponseBase]

EVERYBODY = frozenset[str]({"everybody"})
ANY_ACCOUNT = frozenset[str](role.value for role in models.Role)

_ROLES = "cvms_roles"
_POLLED = "cvms_is_polled"
_SET_UP = "cvms_is_set_up"


def open_to(view: View, *roles: models.Role, is_for_all: bool = False) -> View:
    """Return the view for everybody (`is_for_all`), or for accounts with a role.

    Without a role it is for every account.
    """
    allowed = frozenset(role.value for role in roles) or ANY_ACCOUNT
    return _mark(view, _ROLES, EVERYBODY if is_for_all else allowed)


def polled(view: View) -> View:
    """Return a view that browsers ask by themselves: it extends no session."""
    return _mark(view, _POLLED, True)


def before_second_factor(view: View) -> View:
    """Return a view that can be opened before a required second factor is set up."""
    return _mark(view, _SET_UP, True)


def get_account(request: http.HttpRequest) -> models.Account:
    """Return who is logged in, in a view that is not for everybody."""
    if isinstance(request.user, models.Account):
        return request.user
    raise http.Http404


def get_roles(view: Any) -> frozenset[str]:
    """Return who may open a view; nobody if it does not say."""
    return getattr(view, _ROLES, frozenset())


def is_polled(view: Any) -> bool:
    """Return whether browsers ask it by themselves."""
    return getattr(view, _POLLED, False)


def is_before_second_factor(view: Any) -> bool:
    """Return whether it can be opened without a required second factor."""
    return getattr(view, _SET_UP, False)


def _mark(view: View, name: str, value: object) -> View:
    """Return a copy of the view with an attribute; allauth's own are left as they are.

    Attributes of earlier marks stay.
    """

    def marked(request: http.HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    marked.__dict__.update(view.__dict__)
    marked.__name__ = getattr(view, "__name__", type(view).__name__)
    marked.__module__ = view.__module__
    setattr(marked, name, value)
    return marked
