"""A backup while uploads come in: each file is in it once, wherever it just was."""

import backup_installations
import installations
import pytest

from cvms_pipeline.database import dumps
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import claims, incoming
from cvms_pipeline.maintenance import bundle, incoming_backup
from cvms_pipeline.use_cases import receive

# Right before which step of the backup the daemon takes the file in.
MOMENTS = [
    (incoming, "scan"),  # before it is seen
    (incoming_backup, "copy_waiting"),  # seen, and gone when it is to be copied
    (bundle, "copy"),  # while it is copied
    (dumps, "open_snapshot"),  # copied, and an upload in the tables
    (dumps, "dump"),  # copied, and no upload in the snapshot
    (incoming_backup, "remove_registered"),  # the same, a moment later
]


def once(fresh):
    """Return how often the file is there: as an upload, or still to become one."""
    claims = list(fresh.target.folders.claims.glob("2*"))
    with fresh.store.begin() as conn:
        uploads = dumps.count_rows(conn)["cvms.uploads"]
    return uploads + len(claims) + len(fresh.waiting())


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment[1])
def test_a_file_that_becomes_an_upload_meanwhile_is_in_the_backup_once(
    site, vault, fresh, moment, monkeypatch
):
    site.drop([installations.ANN])

    def take_in():
        assert receive.receive(site.pipeline).is_complete

    with backup_installations.in_the_middle(monkeypatch, *moment, take_in):
        vault.make()
    fresh.restore(vault.path)

    assert once(fresh) == 1
    assert len(list(site.lane().iterdir())) == 0


def test_a_file_that_is_claimed_between_two_listings_is_there_once(
    site, vault, fresh, monkeypatch
):
    site.drop([installations.ANN])
    folders, now = site.pipeline.folders, site.clock()
    (found,) = incoming.scan(folders, now=now)

    def claim():
        claims.claim(folders, found, upload_id=upload.make_id(now), now=now)

    with backup_installations.in_the_middle(
        monkeypatch, incoming_backup, "list_ids", claim, at=2
    ):
        vault.make()
    fresh.restore(vault.path)

    assert (once(fresh), fresh.waiting()) == (1, [])


def test_a_claim_that_becomes_an_upload_meanwhile_is_in_the_backup_once(
    site, vault, fresh, monkeypatch
):
    site.drop([installations.ANN])
    folders, now = site.pipeline.folders, site.clock()
    (found,) = incoming.scan(folders, now=now)
    claims.claim(folders, found, upload_id=upload.make_id(now), now=now)

    def take_in():
        assert receive.receive(site.pipeline).is_complete

    with backup_installations.in_the_middle(
        monkeypatch, dumps, "open_snapshot", take_in
    ):
        vault.make()
    fresh.restore(vault.path)

    assert once(fresh) == 1


def test_the_same_file_that_is_dropped_twice_becomes_two_uploads(site, vault, fresh):
    site.receive([installations.ANN])
    site.drop([installations.ANN])

    vault.make()
    fresh.restore(vault.path)

    assert once(fresh) == 2


def test_a_file_that_is_being_written_is_left_out_and_counted(site, vault):
    path = site.drop([installations.ANN])

    with path.open("ab"):
        made = vault.make()

    assert (made.waiting, made.left_out) == (0, 1)


def test_links_and_folders_are_left_out_of_the_backup_and_counted(site, vault):
    (site.lane() / "link.csv").symlink_to("/etc/passwd")
    (site.lane() / "folder.csv").mkdir()

    made = vault.make()

    assert (made.waiting, made.left_out) == (0, 2)
    assert [name for name in vault.names() if name.startswith("incoming")] == []


def test_bytes_that_the_archive_has_lost_are_named(site, vault):
    upload_id = site.receive([installations.ANN])
    site.pipeline.archive.remove(upload_id)

    made = vault.make()

    assert made.missing == [upload_id]


def test_bytes_that_retention_has_removed_are_no_loss(site, vault):
    upload_id = site.bring([installations.ANN])
    site.pipeline.archive.remove(upload_id)

    made = vault.make()

    assert (made.missing, made.archived) == ([], 0)


def test_changed_bytes_are_named(site, vault):
    upload_id = site.receive([installations.ANN])
    path = site.pipeline.archive.path(upload_id)
    path.chmod(0o600)
    path.write_bytes(b"other")

    made = vault.make()

    assert made.changed == [upload_id]
