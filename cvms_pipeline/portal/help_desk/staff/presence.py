"""Who of the staff looks at a case now.

It is remembered in the cache, which all processes share, for a little longer than the
pause after which an open page asks again; nothing of it is kept.
"""

from collections.abc import Sequence

from django.core.cache import cache

from cvms_pipeline.portal.accounts import models

_PAGE_SECONDS = 60
"""How long somebody counts as looking; the page asks again every 20 seconds."""


def note_looking(number: int, account_id: str) -> Sequence[str]:
    """Remember that somebody looks at a case; return who else does, by username."""
    keys = {
        _make_key(number, other): username
        for other, username in models.Account.list_staff()
        if other != account_id
    }
    found = cache.get_many(keys)
    cache.set(_make_key(number, account_id), "yes", _PAGE_SECONDS)
    return [username for key, username in keys.items() if key in found]


def _make_key(number: int, account_id: str) -> str:
    return f"looking:{number}:{account_id}"
