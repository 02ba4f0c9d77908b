"""Real folders: an incoming tree with one provider, and a way to take things in."""

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import archive, claims, incoming, provider_folders, settling

SLUG = "mercy-hospital"


@pytest.fixture
def folders(tmp_path: Path) -> incoming.Folders:
    made = incoming.Folders(
        root=tmp_path / "incoming", settle_seconds=2.0, max_bytes=1000
    )
    provider_folders.make_folders(made, SLUG)
    return made


@pytest.fixture
def lane(folders: incoming.Folders) -> Path:
    return folders.root / SLUG / "low_volume"


@pytest.fixture
def shelves(tmp_path: Path) -> archive.Archive:
    return archive.Archive(tmp_path / "archive")


@pytest.fixture
def later() -> Callable[[float], dt.datetime]:
    """Return the time so many seconds from now: the only clock that is not real."""
    return lambda seconds: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)


@pytest.fixture
def without_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only time can tell, as for other users' files, but by the clock of `now`."""
    monkeypatch.setattr(settling, "ask_lease", lambda _: settling.Writer.UNKNOWN)


@pytest.fixture
def claim_one(
    folders: incoming.Folders, later: Callable[[float], dt.datetime]
) -> Callable[[], claims.Claim]:
    """Claim the only thing that is settled in a while."""
    numbers = itertools.count(1)

    def claimed() -> claims.Claim:
        (found,) = incoming.scan(folders, now=later(60))
        assert found.is_settled
        upload_id = f"{upload.make_id(later(0))}-{next(numbers)}"
        taken = claims.claim(folders, found, upload_id=upload_id, now=later(0))
        assert taken is not None
        return taken

    return claimed
