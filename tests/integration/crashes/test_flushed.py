"""A power failure takes nothing that something else relies on."""

import dataclasses

import crash_sites
import flushed_disks
import pytest


@pytest.mark.parametrize("is_maildir", [False, True])
def test_files_and_names_are_on_the_disk_before_they_are_relied_on(
    again, monkeypatch, is_maildir
):
    with again() as site:
        disk = flushed_disks.Disk(site.home)
        site = dataclasses.replace(site, port=None if is_maildir else site.port)
        with disk.watched(monkeypatch):
            site.do(*crash_sites.WAY)

    assert disk.relied_on["commit"] > 10
    assert bool(disk.relied_on["sendmail"]) is not is_maildir
    assert disk.at_risk == set()
