"""What the portal counts for the metrics: its answers, and log-ins that were refused.

No label comes from a person: pages are named as in the code, and reasons are ours.  The
processes of the portal write the counts into files, which `local.metrics` reads.
"""

import prometheus_client

ANSWERS = prometheus_client.Counter(
    "cvms_portal_answers", "Answers of the portal.", ["page", "status"]
)
REFUSED = prometheus_client.Counter(
    "cvms_portal_log_ins_refused", "Log-ins that were refused.", ["because"]
)


def count_answer(page: str, status: int) -> None:
    """Count an answer by the name of the page and the class of its status."""
    ANSWERS.labels(page, f"{status // 100}xx").inc()


def count_refusal(because: str) -> None:
    """Count a refused log-in."""
    REFUSED.labels(because).inc()
