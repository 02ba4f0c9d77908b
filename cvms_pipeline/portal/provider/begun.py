"""Reviews that were begun a moment ago, until their page is opened.

A browser that has sent a file is redirected to the page of its review.  That page shows
what was planned a moment before, instead of planning it again; whoever opens it later,
or again, sees a new plan.
"""

import threading
import time
from collections import OrderedDict

from cvms_pipeline.use_cases.provider_actions import review

_MAX = 16
_SECONDS = 5.0

_lock = threading.Lock()
_begun: OrderedDict[str, tuple[float, review.Review]] = OrderedDict()


def keep(review_id: str, begun: review.Review) -> None:
    """Keep a review for some seconds; the oldest goes when there are too many."""
    now = time.monotonic()
    with _lock:
        _begun[review_id] = (now + _SECONDS, begun)
        for each, (until, _) in list(_begun.items()):
            if until < now or len(_begun) > _MAX:
                del _begun[each]


def take(review_id: str) -> review.Review | None:
    """Return a review that was begun a moment ago, once; None if there is none."""
    with _lock:
        until, begun = _begun.pop(review_id, (0.0, None))
    return begun if time.monotonic() < until else None
