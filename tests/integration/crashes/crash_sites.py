"""What crashes and what continues: use cases, as the sensor and runs call them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import installations
import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import deliver, process, publish, receive

FIRST = "first.csv"
CORRECTED = "Ann,Lee,1/2/1990,new@b.example.org"
WRONG = "Dee#,Lee,5/6/1992,dee@b.example.org"
DUE = "Dee,Lee,5/6/1992,dee@b.example.org"

_MOMENTS = re.compile(rb"^(?:Received|Finished): .*$", re.MULTILINE)
_BY_CHANCE = (".clock", ".wake", "claim.json", "secret_key")

Step = Callable[[installations.Installation], None]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Where an installation lies that nobody has opened."""

    home: Path
    url: str
    port: int | None  # None: messages go to a Maildir
    patch: pytest.MonkeyPatch

    def do(self, *steps: Step) -> None:
        """Open it, take the steps, close it."""
        with opened(self.home, self.url, self.port, self.patch) as site:
            for step in steps:
                step(site)

    def end(self) -> dict[str, object]:
        """Do what the next look and the next runs do, and return what there is then."""
        with opened(self.home, self.url, self.port, self.patch) as site:
            site.clock.forward(minutes=5)  # leases are over by then
            for step in WAY:
                step(site)
            return state(site)


@contextmanager
def opened(
    home: Path, url: str, port: int | None, patch: pytest.MonkeyPatch
) -> Iterator[installations.Installation]:
    is_new = not home.exists()
    home.mkdir(exist_ok=True)
    made = installations.opened(home, url, patch, is_new=is_new)
    site = made if port is None else made.by_smtp(port)
    try:
        yield site
    finally:
        site.pipeline.close()


def prepare(site: installations.Installation) -> None:
    """Load Ann, and drop a file with every kind of row; it brings back a wrong one."""
    site.bring([ANN, WRONG], file_name=FIRST)
    deliver.send_invitations(
        site.pipeline, site.column("SELECT id FROM cvms.uploads")[0]
    )
    site.drop([CORRECTED, BAD, BOB, BOB, DUE], file_name="second.csv")
    site.drop([DUE], slug="stranger", file_name="strange.csv")


def take_in(site: installations.Installation) -> None:
    """Look until all has been taken in, as the sensor does."""
    while not receive.receive(site.pipeline).is_complete:
        pass
    receive.request_runs(site.pipeline)


def load_all(site: installations.Installation) -> None:
    for upload_id in _ids(site):
        read = process.read_rows(site.pipeline, upload_id, "run").sheet
        judged = process.validate_rows(site.pipeline, upload_id, read)
        decided = process.find_duplicates(site.pipeline, upload_id, judged)
        process.load(site.pipeline, upload_id, decided)


def publish_all(site: installations.Installation) -> None:
    for upload_id in _ids(site):
        publish.publish(site.pipeline, upload_id)


def notify_all(site: installations.Installation) -> None:
    for upload_id in _ids(site):
        deliver.send_notice(site.pipeline, upload_id)
    deliver.send_alerts(site.pipeline)


def invite_all(site: installations.Installation) -> None:
    for upload_id in _ids(site):
        deliver.send_invitations(site.pipeline, upload_id)


WAY: list[Step] = [take_in, load_all, publish_all, notify_all, invite_all]


def _ids(site: installations.Installation) -> list[str]:
    """Return the uploads but the one that was there before."""
    with site.pipeline.store.begin() as conn:
        recent = uploads.list_recent(conn, limit=100)
    return sorted(each.id for each in recent if each.file_name != FIRST)


_TABLES = {
    "uploads": "SELECT folder, file_name, status, refusal_code, rows, loaded, updated,"
    " rejected, reasons::text, sha256 FROM cvms.uploads ORDER BY file_name",
    "recipients": "SELECT first_name, last_name, email, username, source_line,"
    " file_name FROM cvms.recipients AS r JOIN cvms.uploads AS u ON u.id = r.upload_id"
    " ORDER BY first_name",
    "changes": "SELECT old_email, new_email, source_line FROM cvms.recipient_changes",
    "rejected": "SELECT line, first_name, last_name, birth_date, email, message"
    " FROM cvms.rejected_rows ORDER BY line",
    "messages": "SELECT kind, addresses::text, status FROM cvms.messages ORDER BY 1, 2",
    "providers": "SELECT slug, recipients FROM cvms.providers ORDER BY slug",
}


def _is_half_written(path: Path) -> bool:
    """Return whether a death left it beside its place; retention removes it."""
    kept = {"archive", "reports", ".quarantine"}
    return path.match(".*.tmp") and bool(kept & set(path.parts))


def state(site: installations.Installation) -> dict[str, object]:
    """Return all that is left behind, but for ids and times that chance has made."""
    tables = {name: site.table(query).to_csv() for name, query in _TABLES.items()}
    names = dict(site.table("SELECT id, file_name FROM cvms.uploads").to_numpy())
    files = {}
    for path in sorted(p for p in site.home.rglob("*") if not p.is_dir()):
        place = str(path.relative_to(site.home))
        content = path.read_bytes()
        for upload_id, name in names.items():
            place = place.replace(upload_id, f"<{name}>")
            content = content.replace(upload_id.encode(), f"<{name}>".encode())
        content = _MOMENTS.sub(b"", content) if path.name == "receipt.txt" else content
        if path.name not in _BY_CHANCE and not _is_half_written(path):
            files[place] = content
    return {**tables, "files": files}
