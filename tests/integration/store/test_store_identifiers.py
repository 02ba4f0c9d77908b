import time
import uuid

import pytest

from cvms_pipeline.store import identifiers


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


def test_ids_are_uuids_of_version_7_that_begin_with_the_time_and_ascend():
    before = milliseconds()
    ids = [uuid.UUID(text) for text in identifiers.new_ids(1_000).to_pylist()]
    after = milliseconds()

    assert len(set(ids)) == 1_000
    assert ids == sorted(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)}
    assert all(before <= each.int >> 80 <= after for each in ids)


@pytest.mark.parametrize("part", [slice(at, at + 4) for at in range(12, 32, 4)])
def test_all_behind_the_time_is_chance(part):
    ids = identifiers.new_ids(1_000).to_pylist()

    assert len({each[part] for each in ids}) > 500


def test_no_ids_are_none():
    assert identifiers.new_ids(0).to_pylist() == []
