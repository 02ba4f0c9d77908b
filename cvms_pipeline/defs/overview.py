"""The overview of the day: `todays_uploads`, its table, its plots and its checks.

The UI shows the metadata of a materialization in the order given here, below 500 pixels
of other things, in a column of 61 characters of one width, and Markdown of a thousand
characters or more only behind a button.  A table of Markdown would be too wide, and one
of Dagster's own has no links.  So the headline is first, then a line for each upload
with spaces between its columns, in as few entries as possible, because each takes the
room of a line more.  The numbers that the UI plots follow.  Each day is a partition, so
that a plot has one value a day.

File names and cells are not shown: they may identify a person.  What the UI renders as
Markdown is made of ids, codes, slugs and sentences of this package only.
"""

import hashlib
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from cvms_pipeline.defs import assets, checks, failures, metadata
from cvms_pipeline.domain.text import display
from cvms_pipeline.use_cases import history

_SHOWN_AT_ONCE = 998
"""The most characters of Markdown that the UI shows without a button."""

_WIDTH = 61
"""How many characters a line can have in a window of 1440 pixels."""

_OTHER_WIDTH = 41
"""What ids, numbers but that of rejected rows, a usual reason and spaces take of it."""

_MAX_NAMED = 6
"""How many providers the headline names: those with the most uploads."""

_MAX_WHY = 300
_SPACE = "\N{NO-BREAK SPACE}"
_NEW_LINE = "\\\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widths:
    """How many characters the columns take whose width depends on the uploads."""

    provider: int
    rejected: int


def make_asset_events(
    state: history.Overview, log: logging.Logger
) -> list[dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation]:
    """Return what brings `todays_uploads` and its checks up to date."""
    return [
        dg.AssetMaterialization(
            asset_key=assets.todays_uploads.key,
            partition=state.day.isoformat(),
            metadata=_describe_day(state, log),
        ),
        *(
            dg.AssetCheckEvaluation(
                asset_key=assets.todays_uploads.key,
                check_name=result.check_name or "",
                passed=result.passed,
                severity=result.severity,
                metadata=result.metadata,
            )
            for result in checks.check_day(state)
        ),
    ]


def make_withdrawals(
    state: history.Overview, *, reported: str
) -> list[dg.AssetObservation]:
    """Return what reports that uploads were withdrawn, each once.

    `reported` is the id of the last one that was reported, or nothing.
    """
    ids = [upload.id for upload in state.withdrawn]
    new = state.withdrawn[ids.index(reported) + 1 if reported in ids else 0 :]
    return [
        dg.AssetObservation(
            asset_key=assets.recipients.key,
            partition=upload.id,
            description="The upload was withdrawn: nothing of it is loaded any more.",
            metadata={
                "taken out": upload.loaded - upload.updated,
                "corrections undone": upload.updated,
                "withdrawn": dg.MetadataValue.timestamp(upload.withdrawn_at),
            },
        )
        for upload in new
        if upload.withdrawn_at is not None
    ]


def compute_fingerprint(state: history.Overview) -> str:
    """Return a short text that is the same while nothing has changed, for an hour."""
    listed = (*state.latest, *state.refused, *state.failed, *state.withdrawn)
    shown = [(each.id, each.status, each.run_id, each.failure) for each in listed]
    facts = repr((state.day, state.hour, list(state.providers), shown))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _describe_day(state: history.Overview, log: logging.Logger) -> Mapping[str, Any]:
    """Return headline, table and numbers of the day, in the order of the page."""
    shown = _sort_uploads(state)
    widths = _find_widths(shown)
    return {
        "today": dg.MetadataValue.md(_write_headline(state)),
        **_divide("uploads", _write_lines(shown, widths, log), _write_header(widths)),
        **metadata.describe_numbers(state),
        **_divide("by provider", _write_providers(state)),
        **_divide("by reason", _write_reasons(state)),
    }


def _sort_uploads(state: history.Overview) -> list[history.Upload]:
    """Return what is broken, refused, waiting, loaded and withdrawn, each newest first.

    Uploads with rejected rows are above those without.
    """
    others = [
        each for each in state.latest if each.refusal is None and not each.has_failed
    ]
    others.sort(
        key=lambda each: (
            each.withdrawn_at is not None,
            each.status.is_finished,
            each.rejected == 0,
        )
    )
    return [*state.failed, *state.refused, *others]


def _write_headline(state: history.Overview) -> str:
    """Return the counts of the day and its providers; what is broken is bold."""
    uploads, refused, failed, waiting, rows, rejected = (
        metadata.sum_providers(state, name)
        for name in ("uploads", "refused", "failed", "waiting", "rows", "rejected")
    )
    earlier = len(state.failed) - failed
    parts = [
        "1 upload" if uploads == 1 else f"{uploads:,} uploads",
        *([f"{refused:,} refused"] if refused else []),
        *([f"**{failed:,} failed**"] if failed else []),
        *([f"**{earlier:,} failed on an earlier day**"] if earlier > 0 else []),
        *([f"{waiting:,} waiting"] if waiting else []),
    ]
    counts = f"{', '.join(parts)}; {rejected:,} of {rows:,} rows rejected"
    return _NEW_LINE.join([counts, *_write_shares(state)])


def _write_shares(state: history.Overview) -> Iterator[str]:
    """Yield who has sent how many uploads with how many rows, if anybody has."""
    most = sorted(state.providers, key=lambda each: each.uploads, reverse=True)
    shares = [
        f"{each.provider or 'unknown'} {each.uploads} ({int(each.rows):,} rows)"
        for each in most[:_MAX_NAMED]
        if each.uploads
    ]
    if len(most) > _MAX_NAMED:
        shares.append(f"{len(most) - _MAX_NAMED} more providers")
    if shares:
        yield ", ".join(shares)


def _write_lines(
    uploads: Iterable[history.Upload], widths: _Widths, log: logging.Logger
) -> Iterator[str]:
    for upload in uploads:
        with failures.passed_over(log, f"The upload {upload.id}"):
            yield f"{_write_start(upload, widths)} {_write_outcome(upload, widths)}"


def _write_header(widths: _Widths) -> str:
    """Return a header that no window can break, so that the column is wide enough."""
    header = f"{'upload':<8} {'provider':<{widths.provider}} rows loaded rejected, why"
    return f"{header:<{_WIDTH}}".replace(" ", _SPACE)


def _write_outcome(upload: history.Upload, widths: _Widths) -> str:
    """Return the rows of an upload, and what has become of them."""
    known, _ = history.count_rows(upload)
    rows = f"{display.UNKNOWN if known is None else known:{_SPACE}>4}"
    if upload.has_failed:
        return f"{rows} {_write_broken(upload)}"
    if upload.withdrawn_at is not None:
        return f"{rows} withdrawn"
    if upload.refusal is not None:
        return f"{rows} refused {upload.refusal.code}"
    if upload.status.is_finished:
        return f"{rows} {_write_loaded(upload, widths)}"
    why = f"{_NEW_LINE}{_escape(upload.failure)}" if upload.failure else ""
    return f"{rows} {upload.status.value}{why}"


def _write_loaded(upload: history.Upload, widths: _Widths) -> str:
    """Return counts, of which that of the rejected rows leads to their report."""
    loaded = f"{upload.loaded:{_SPACE}>6}"
    if not upload.rejected:
        return f"{loaded} {0:{_SPACE}>{widths.rejected}}"
    report = f"/assets/error_report?view=partitions&partition={upload.id}"
    space = _SPACE * (widths.rejected - len(str(upload.rejected)))
    why = max(upload.reasons, key=lambda code: upload.reasons[code], default="")
    return f"{loaded} {space}[{upload.rejected}]({report}) {why}"


def _write_broken(upload: history.Upload) -> str:
    """Return the run that is to be re-executed, and below it why it has failed."""
    run_id = upload.failed_run or upload.run_id
    again = f" [Re-execute](/runs/{run_id})" if run_id else ""
    why = upload.failure or "The page of its run says why."
    return f"**failed**{again}{_NEW_LINE}{_escape(why)}"


def _write_start(upload: history.Upload, widths: _Widths) -> str:
    """Return a link to the upload's last run, or its partition, and its provider.

    The text of the link is the end of the id, whose beginning is a time in UTC.
    """
    tail = upload.id.rpartition("-")[2]
    partition = f"/assets/recipients?view=partitions&partition={upload.id}"
    target = f"/runs/{upload.run_id}" if upload.run_id else partition
    name = _get_name(upload)
    if len(name) > widths.provider:
        name = f"{name[: widths.provider - 1]}…"
    space = _SPACE * max(0, 8 - len(tail))
    return f"[{tail}]({target}){space} {name:{_SPACE}<{widths.provider}}"


def _find_widths(uploads: Collection[history.Upload]) -> _Widths:
    """Return the widths of the columns, so that a line with a usual reason fits."""
    rejected = max((len(str(upload.rejected)) for upload in uploads), default=1)
    provider = max((len(_get_name(upload)) for upload in uploads), default=0)
    room = _WIDTH - _OTHER_WIDTH - rejected
    return _Widths(
        provider=min(max(provider, len("provider")), room), rejected=rejected
    )


def _get_name(upload: history.Upload) -> str:
    return upload.provider or "unknown"


def _escape(text: str) -> str:
    """Return a sentence as Markdown that shows it as it is, in one line."""
    short = text if len(text) <= _MAX_WHY else f"{text[:_MAX_WHY]}…"
    return re.sub(r"([\\`*_\[\]<>|!#])", r"\\\1", " ".join(short.split()))


def _divide(
    name: str, lines: Iterable[str], *header: str
) -> dict[str, dg.MetadataValue]:
    """Return lines as entries that the UI shows at once; as many as they need."""
    entries: list[str] = []
    for line in lines:
        if entries and len(entries[-1]) + len(line) < _SHOWN_AT_ONCE:
            entries[-1] += f"{_NEW_LINE}{line}"
        else:
            entries.append(_NEW_LINE.join((*header, line)))
            header = ()
    return {
        f"{name} {number}" if number > 1 else name: dg.MetadataValue.md(entry)
        for number, entry in enumerate(entries, 1)
    }


def _write_providers(state: history.Overview) -> Iterator[str]:
    columns = ("uploads", "rows", "loaded", "rejected")
    yield f"{' '.join(columns)} provider"
    for summary in state.providers:
        counts = (
            f"{int(getattr(summary, name)):{_SPACE}>{len(name)}}" for name in columns
        )
        yield f"{' '.join(counts)} {summary.provider or 'unknown'}"


def _write_reasons(state: history.Overview) -> Iterator[str]:
    yield "uploads rows why"
    for count in state.reasons:
        yield f"{count.uploads:{_SPACE}>7} {int(count.rows):{_SPACE}>4} {count.code}"
