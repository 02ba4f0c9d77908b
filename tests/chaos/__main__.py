"""`python -m tests.chaos`: uploads, kills and outages, then the verdict.

The exit code is 0 only if nothing was lost, doubled or left unfinished.
"""

import argparse
import json
import signal
import sys
import time
from typing import Any

import psycopg2

from tests.chaos import (
    enrolments,
    expected_messages,
    faults,
    installation,
    observed,
    stream,
    verdict,
)

_MOST_TOLD = 20
_PATIENCE_SECONDS = 300
_MAX_ACCOUNTS = 5
_UPLOADS_AN_ACCOUNT = 60
"""Half of the files of a provider that an account may send in an hour, or less."""


def main() -> int:
    """Run, judge and tell; return the exit code."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # after tidying up
    accounts = min(_MAX_ACCOUNTS, 1 + chosen.uploads // _UPLOADS_AN_ACCOUNT)
    with installation.started(keep=chosen.keep, accounts=accounts) as running:
        if not chosen.json:
            print(f"Installation: {running.home}", file=sys.stderr)
        told = hurt(running, chosen)
    problems = told.pop("problems")
    if chosen.json:
        print(json.dumps(told))
    else:
        print("\n".join(f"{name:>16}  {value}" for name, value in told.items()))
    for problem in problems[:_MOST_TOLD]:
        print(problem, file=sys.stderr)
    return 1 if told["lost"] or told["doubled"] or told["unfinished"] else 0


def hurt(running: installation.Installation, chosen: argparse.Namespace) -> Any:
    """Let everything happen to an installation, and return what came of it."""
    flow = stream.Stream(running, seed=chosen.seed, uploads=chosen.uploads)
    striker = faults.Striker(
        running=running,
        seed=chosen.seed,
        is_sending=lambda: flow.are_at_work,
    )
    started = time.monotonic()
    flow.start(chosen.seconds)
    for fault in faults.schedule(
        chosen.seed, kills=chosen.kills, seconds=chosen.seconds
    ):
        while flow.progress * chosen.seconds < fault.at and not flow.is_over:
            striker.end_outages()
            time.sleep(0.02)
        if not chosen.json:
            print(f"{time.monotonic() - started:6.1f} {fault.what}", file=sys.stderr)
        striker.strike(fault)
    while not flow.is_over and time.monotonic() - striker.last_at < _PATIENCE_SECONDS:
        striker.end_outages()
        time.sleep(0.1)
    flow.stop()
    striker.end_outages(all_of_them=True)
    last = max(striker.last_at, time.monotonic())
    settled = _settled(running, last)
    return _told(running, flow, striker, settled, chosen)


def _settled(running: installation.Installation, since: float) -> float | None:
    """Return after how many seconds all was finished, or None if it never was."""
    while time.monotonic() - since < _PATIENCE_SECONDS:
        try:
            if observed.unfinished(running) == 0:
                return time.monotonic() - since
        except (psycopg2.Error, OSError):
            pass  # it is away still
        time.sleep(0.2)
    return None


def _told(
    running: installation.Installation,
    flow: stream.Stream,
    striker: faults.Striker,
    settled: float | None,
    chosen: argparse.Namespace,
) -> dict[str, Any]:
    seen = observed.look(running)
    found = verdict.judge(flow.drops, seen)
    enrolments.judge(flow.registrants, seen, found)
    found.lost += flow.senders.problems + flow.registrants.problems
    if settled is None or settled > chosen.settle:
        found.unfinished.append(f"not finished within {chosen.settle} s")
    if len(found.repeated) > striker.kills:
        found.doubled += found.repeated  # more than crashes can explain
    return {
        "uploads": len(flow.drops),
        "rows": found.rows,
        "kills": striker.kills,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "unfinished": len(found.unfinished),
        "settled_seconds": None if settled is None else round(settled, 1),
        "recipients": len(seen.recipients),
        "corrections": len(seen.changes),
        "rejected": len(seen.rejected),
        "sent_in_portal": sum(
            1 for each in seen.uploads if each["sent_from"] == "portal"
        ),
        "enrolled": len(flow.registrants.enrolled),
        "links_ended": len(flow.registrants.ended),
        "forms_repeated": flow.asked.repeated,
        "portal_faults": flow.asked.faults,
        "refused": sum(1 for each in seen.uploads if each["refusal_code"]),
        "messages": len(seen.letters),
        "repeated_messages": len(found.repeated),
        "alerts": len(expected_messages.alerts(seen)),
        "disk": "tmpfs" if running.disk.is_mounted else "injected",
        "seed": chosen.seed,
        "problems": [
            *(f"lost: {each}" for each in found.lost),
            *(f"doubled: {each}" for each in found.doubled),
            *(f"unfinished: {each}" for each in found.unfinished),
        ],
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    add = parser.add_argument
    add(
        "--seconds", type=float, default=60, help="how long files drop and kills strike"
    )
    add("--uploads", type=int, help="how many files; default: one every 2.4 s")
    add("--kills", type=int, help="how many kills; default: one every 12 s")
    add("--seed", type=int, default=1, help="the same seed, the same files and faults")
    add("--settle", type=float, default=60, help="seconds for all to be finished")
    add("--json", action="store_true", help="print one object and nothing else")
    add("--keep", action="store_true", help="leave the folder with its logs")
    chosen = parser.parse_args()
    chosen.uploads = chosen.uploads or max(1, round(chosen.seconds / 2.4))
    if chosen.kills is None:
        chosen.kills = max(1, round(chosen.seconds / 12))
    return chosen


if __name__ == "__main__":
    sys.exit(main())
