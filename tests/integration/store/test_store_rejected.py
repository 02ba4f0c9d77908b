"""Rejected rows come back from the tables as they were written, whatever is in them."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import columns, reasons
from cvms_pipeline.store import rejected_rows

# Each example has an upload of its own.
FEW = settings(
    max_examples=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ODD = st.sampled_from(",;\t\r\n\"' \\\x01\x1a\x7f\xa0\u2028\ufeff\U0001f600é")
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0") | ODD)
ROWS = st.lists(st.tuples(*[CELLS] * len(columns.NAMES)), min_size=1, max_size=8)

AS_TOLD = [
    r"\N",
    r"\.",
    "",
    "NULL",
    "a\r\nb",
    '"',
    "\ufeffa",
    "1,2",
    "%s",
    ":upload_id",
]


def written_and_read(desk, rows):
    lines = pd.Index(range(2, len(rows) + 2), name="line")
    cells = pd.DataFrame(rows, index=lines, columns=list(columns.NAMES), dtype=str)
    texts = pd.Series(["a; b"] * len(rows), index=lines, dtype=str)
    judged = sheet.make_empty().replace(
        cells=cells, rejections=sheet.make_rejections(reasons.EMAIL_INVALID, texts)
    )
    upload_id = desk.receive()
    with desk.store.begin() as conn:
        rejected_rows.write(conn, upload_id, judged, duplicates.NO_MATCHES)
        return rejected_rows.read(conn, upload_id)


@FEW
@given(rows=ROWS)
def test_cells_are_read_back_unchanged(desk, rows):
    found = written_and_read(desk, rows)

    assert list(found[list(columns.NAMES)].itertuples(index=False, name=None)) == (rows)
    assert found.index.tolist() == list(range(2, len(rows) + 2))


@pytest.mark.parametrize("cell", AS_TOLD)
def test_a_cell_with_characters_special_to_copy_is_stored_unchanged(desk, cell):
    (found,) = written_and_read(desk, [(cell,) * 4])["email"]

    assert found == cell


def test_more_text_than_one_block_is_read_back(desk):
    long = 'ü"\r\n,' * 6_000

    found = written_and_read(desk, [(long,) * 4] * 50)

    assert found["first_name"].eq(long).all()
    assert len(found) == 50
