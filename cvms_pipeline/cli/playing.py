"""Playing the samples: each is dropped in its turn and followed to its notice.

Against whatever pipeline runs; how it is shown is `demo`.  The turns make the
outcomes the same every time: what builds on another upload waits for it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cvms_pipeline import errors, opening
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import (
    correction,
    following,
    registry,
    samples,
)
from cvms_pipeline.domain import provider, upload
from cvms_pipeline.files import incoming, reports
from cvms_pipeline.files import providers as folders
from cvms_pipeline.store import engine, outbox, providers, uploads


class ReportMissing(errors.PermanentError):
    """The error report is not where its provider looks for it."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One sample on its way.

    Attributes:
        dropped: Where it was dropped; None before its turn.
        dropped_at: When.
        upload: What it has become; None so far.
        told_at: When the notice had been sent; None so far.
    """

    sample: samples.Sample
    dropped: following.Dropped | None = None
    dropped_at: dt.datetime | None = None
    upload: uploads.Upload | None = None
    told_at: dt.datetime | None = None

    @property
    def is_over(self) -> bool:
        """Return whether its provider has been told, or its run has failed."""
        has_failed = self.upload and self.upload.status is upload.UploadStatus.FAILED
        return self.told_at is not None or bool(has_failed)

    @property
    def is_as_expected(self) -> bool:
        """Return whether the outcome is the expected one."""
        found, wanted = self.upload, self.sample.expected
        return found is not None and wanted == samples.Expected(
            status=found.status,
            rows=found.rows,
            loaded=found.loaded,
            updated=found.updated,
            reasons=found.reasons,
            refusal=found.refusal.code if found.refusal else None,
        )

    @property
    def seconds(self) -> float | None:
        """Return the seconds from the drop to the notice."""
        if self.told_at is None or self.dropped_at is None:
            return None
        return (self.told_at - self.dropped_at).total_seconds()


@dataclass(slots=True, kw_only=True)
class Play:
    """All samples of one run of the demonstration.

    Attributes:
        settings: The settings of the pipeline that runs.
        store: Its store.
        edition: The word that makes the people of this run new ones.
        turns: The samples, in order.
    """

    settings: settings_.Settings
    store: engine.Store
    edition: str
    turns: Sequence[Turn] = field(default_factory=tuple)

    @property
    def is_over(self) -> bool:
        """Return whether every sample has come to its end."""
        return all(turn.is_over for turn in self.turns)

    @property
    def is_as_expected(self) -> bool:
        """Return whether every outcome is the expected one."""
        return all(turn.is_as_expected for turn in self.turns)

    def step(self) -> None:
        """Drop what has its turn, and look what has become of the rest."""
        with self.store.begin() as conn:
            for turn in self.turns:
                if turn.dropped and not turn.is_over:
                    _look(conn, turn, turn.dropped)
            known = following.known_uploads(conn)
        over = {turn.sample.file_name: turn for turn in self.turns if turn.is_over}
        for turn in self.turns:
            after = turn.sample.after
            if turn.dropped is None and (after is None or after in over):
                self._drop(turn, over.get(after or ""), known)

    def _drop(self, turn: Turn, after: Turn | None, known: frozenset[str]) -> None:
        sample = turn.sample
        data = sample.data
        if data is None:
            data = correction.correct(self._error_report(after), self.edition)
        turn.dropped_at = settings_.now()
        path = folders.put(
            opening.open_folders(self.settings),
            data,
            slug=sample.provider,
            lane=sample.lane,
            file_name=sample.file_name,
        )
        turn.dropped = following.Dropped(
            provider=sample.provider,
            lane=sample.lane,
            path=path,
            sha256=upload.digest(data),
            known=known,
        )

    def _error_report(self, after: Turn | None) -> bytes:
        """Return the error report as the provider finds it in its results."""
        if after is None or after.upload is None:
            raise ReportMissing
        name = reports.results_name(after.sample.file_name, after.upload.id)
        folder = self.settings.folder("incoming") / after.sample.provider
        path = folder / incoming.RESULTS / name / reports.REPORT
        try:
            return path.read_bytes()
        except OSError:
            raise ReportMissing(f"There is no error report {path}.") from None


def _look(conn: Any, turn: Turn, dropped: following.Dropped) -> None:
    turn.upload = following.find(conn, dropped)
    if turn.upload and turn.upload.status.is_finished:
        notice = following.notice(conn, turn.upload.id)
        if notice and notice.status is not outbox.Status.WAITING:
            turn.told_at = notice.sent_at or settings_.now()


def begin(settings: settings_.Settings, store: engine.Store, edition: str) -> Play:
    """Register the sample providers and return the samples, none dropped yet."""
    for slug, name in samples.PROVIDERS.items():
        _register(settings, store, slug, name)
    return Play(
        settings=settings,
        store=store,
        edition=edition,
        turns=[Turn(sample=sample) for sample in samples.every(edition)],
    )


def _register(
    settings: settings_.Settings, store: engine.Store, slug: str, name: str
) -> None:
    with store.begin() as conn:
        found = providers.find(conn, slug)
        if found and not found.is_enabled:
            providers.enable(conn, slug)
    if found:
        folders.make_provider(opening.open_folders(settings), slug)
        return
    added = provider.Provider(
        slug=slug,
        name=name,
        vfc_pin=provider.GENERIC_PIN,
        emails=(f"staff@{slug}.example.org",),
        created_at=settings_.now(),
    )
    registry.register(store, settings, added)
