"""What must have come of what was dropped, held against what has come of it.

An independent model: it knows the promises, and nothing of how they are kept.  Which
of two uploads wins a person depends on which was first; so for each person exactly one
row must have loaded, each change must go on from the one before, and every other row
must have been rejected for a reason that this history bears out.
"""

import collections
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import expected_messages, observed, people, plan

NEVER_READ = ("not-a-file", "provider-unknown")
FINISHED = ("completed", "completed_with_errors", "refused")


@dataclass(kw_only=True)
class Verdict:
    """What is wrong, each in a few words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    rows: int = 0


def judge(drops: Mapping[str, plan.Drop], seen: observed.Observed) -> Verdict:
    """Return what is wrong with what has come of the files."""
    verdict = Verdict(rows=sum(len(drop.rows) for drop in drops.values()))
    matched = _match(drops, seen, verdict)
    touched = people.touched(seen)
    for drop, upload in matched:
        verdict.lost += _of_upload(drop, upload, seen)
        _count_lines(drop, upload, touched, verdict)
        verdict.unfinished += _of_assets(upload, seen)
    verdict.lost += people.wrongs(matched, seen)
    people.count_twice(seen, verdict.doubled)
    expected_messages.judge(matched, seen, verdict)
    verdict.unfinished += [f"{each} is left" for each in seen.left]
    if seen.open_runs:
        verdict.unfinished.append(f"{seen.open_runs} runs have not ended")
    return verdict


def _match(
    drops: Mapping[str, plan.Drop], seen: observed.Observed, verdict: Verdict
) -> list[tuple[plan.Drop, dict[str, Any]]]:
    """Return the finished uploads with what was dropped."""
    by_name = collections.defaultdict(list)
    for upload in seen.uploads:
        by_name[upload["file_name"]].append(upload)
    for name in by_name.keys() - drops.keys():
        verdict.doubled.append(f"{name}: nobody has dropped that")
    matched = []
    for name, drop in drops.items():
        uploads = by_name[name]
        if not uploads:
            is_left = any(place.endswith(f"/{name}") for place in seen.left)
            (verdict.unfinished if is_left else verdict.lost).append(
                f"{name}: no upload"
            )
        elif len(uploads) > 1:
            verdict.doubled.append(f"{name}: {len(uploads)} uploads")
        elif (uploads[0]["sent_from"] == "portal") != (drop.habit == plan.PORTAL):
            verdict.lost.append(f"{name}: came by another way")
        elif uploads[0]["status"] not in FINISHED:
            verdict.unfinished.append(f"{name}: {uploads[0]['status']}")
        else:
            matched.append((drop, uploads[0]))
    return matched


def _of_upload(
    drop: plan.Drop, upload: Mapping[str, Any], seen: observed.Observed
) -> Iterator[str]:
    """Yield what is wrong with an upload as a whole."""
    name, refusal = drop.name, upload["refusal_code"]
    if refusal != drop.refusal:
        yield f"{name}: refused as {refusal}, not {drop.refusal}"
    expected = 0 if drop.refusal else len(drop.rows)
    told = upload["loaded"] + upload["rejected"]
    if not upload["rows"] == told == expected:
        yield f"{name}: {expected} rows, {upload['rows']} counted, {told} told of"
    kept = None if refusal in NEVER_READ else drop.data
    if seen.archive.get(upload["id"]) != kept:
        yield f"{name}: the archive has other bytes"
    if upload["id"] not in seen.partitions:
        yield f"{name}: no partition"
    yield from _of_report(drop, upload, seen)


def _of_report(
    drop: plan.Drop, upload: Mapping[str, Any], seen: observed.Observed
) -> Iterator[str]:
    report = seen.reports.get(upload["id"])
    published = seen.results.get(f"{drop.name.removesuffix('.csv')}-{upload['id']}", {})
    if drop.is_known and "receipt.txt" not in published:
        yield f"{drop.name}: no receipt"
    if published.get("BulkError.csv") != report:
        yield f"{drop.name}: two different error reports"
    rejected = [row for row in seen.rejected if row["upload_id"] == upload["id"]]
    if (report is None) != (not rejected):
        yield f"{drop.name}: no error report for {len(rejected)} rows"
    elif report is not None:
        text = io.StringIO(report.decode("utf-8-sig"))
        told = [tuple(cells) for cells in list(csv.reader(text))[1:]]
        if told != [_in_report(drop, row) for row in rejected]:
            yield f"{drop.name}: the error report is another"


def _in_report(drop: plan.Drop, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the line that the report must have: the cells as they were dropped."""
    known = drop.rows.get(row["line"])
    cells = known.cells[:4] if known else ("", "", "", "")
    return (*cells, row["message"])


def _count_lines(
    drop: plan.Drop,
    upload: Mapping[str, Any],
    touched: Mapping[tuple[str, int], Sequence[str]],
    verdict: Verdict,
) -> None:
    """Every line is loaded, a correction, or rejected: one of them, and once."""
    if upload["refusal_code"]:
        return
    for line, row in drop.rows.items():
        found = touched.get((upload["id"], line), [])
        if not found:
            verdict.lost.append(f"{drop.name}, line {line}: nothing came of it")
        elif len(found) > 1:
            verdict.doubled.append(f"{drop.name}, line {line}: {', '.join(found)}")
        elif row.why and found != [f"rejected: Line {line}: {row.why}"]:
            verdict.lost.append(f"{drop.name}, line {line}: {found[0]}")


def _of_assets(upload: Mapping[str, Any], seen: observed.Observed) -> Iterator[str]:
    has_invitations = any(
        message.get("upload_id") == upload["id"] and message["kind"] == "invitation"
        for message in seen.messages
    )
    for asset in observed.ASSETS:
        # An upload that loaded and corrected nobody has no invitations to send.
        is_expected = has_invitations or asset != "recipient_invitations"
        if is_expected and (asset, upload["id"]) not in seen.made:
            yield f"{upload['file_name']}: {asset} is not materialized"
    for run in seen.last_runs:
        if run["upload_id"] == upload["id"] and run["status"] != "SUCCESS":
            yield f"{upload['file_name']}: {run['job']} has ended as {run['status']}"
