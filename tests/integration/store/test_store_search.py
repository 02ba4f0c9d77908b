import pytest

from cvms_pipeline.store import search

ROWS = [
    "Ann,Lee,1/2/1990,zoe@b.org",
    "Anna,O'Neil,1/2/1985,moe@b.org",
    "Bob,Annan,1/2/2001,bob@b.org",
    "Jürgen,van Dyke,1/2/1970,ann@b.org",
]


def found(desk, *words, **options):
    with desk.store.begin() as conn:
        return search.search_recipients(conn, words, **options)


def names(desk, *words, **options):
    return found(desk, *words, **options).recipients["first_name"].tolist()


# Words, and whom they find.
_WORDS = [
    (["ann"], ["Ann", "Anna", "Bob"]),  # the beginning of a first or last name
    (["ANN"], ["Ann", "Anna", "Bob"]),  # capital letters do not count
    (["ann", "lee"], ["Ann"]),  # every word must start a name
    (["lee", "ann"], ["Ann"]),  # in any order
    (["nn"], []),  # not in the middle
    (["o’ne"], ["Anna"]),  # apostrophes of every shape
    (["jÜr"], ["Jürgen"]),  # letters beyond ASCII
    (["van dy"], ["Jürgen"]),  # a name of two words
    (["percy_"], ["Percy_1"]),  # not a wildcard
    (["percy%"], []),  # nor this
    (["p%"], []),  # nor this
    (["\\"], []),  # nor an escape
    (["", " "], ["Ann", "Anna", "Bob", "Jürgen", "Percy_1"]),  # nothing said
]


@pytest.mark.parametrize(("words", "expected"), _WORDS)
def test_a_search_finds_names_that_begin_with_its_words(desk, words, expected):
    desk.bring(ROWS)
    desk.execute(
        "INSERT INTO cvms.recipients (first_name, last_name, birth_date, email,"
        " first_key, last_key, username, username_number, provider, upload_id,"
        " source_line, loaded_at) VALUES ('Percy_1', 'Smith', '1960-01-02', 'p@b.org',"
        " 'percy_1', 'smith', 'p', 1, 'mercy', 'upload-1', 9, now())"
    )

    assert sorted(names(desk, *words)) == expected


# Columns, and in what order they put people.
_ORDERS = [
    ("last_name", ["Bob", "Ann", "Anna", "Jürgen"]),
    ("first_name", ["Ann", "Anna", "Bob", "Jürgen"]),
    ("birth_date", ["Jürgen", "Anna", "Ann", "Bob"]),
    ("email", ["Jürgen", "Bob", "Anna", "Ann"]),
    ("username", ["Jürgen", "Bob", "Anna", "Ann"]),
]


@pytest.mark.parametrize(("sort", "expected"), _ORDERS)
def test_recipients_are_sorted_both_ways(desk, sort, expected):
    desk.bring(ROWS)

    assert names(desk, sort=sort) == expected
    assert names(desk, sort=sort, is_descending=True) == expected[::-1]


@pytest.mark.parametrize(("sort", "expected"), _ORDERS)
def test_results_of_a_search_are_sorted(desk, sort, expected):
    desk.bring(ROWS)

    found_names = names(desk, "ann", sort=sort)

    assert found_names == [name for name in expected if name != "Jürgen"]


def test_recipients_can_be_sorted_by_when_they_were_loaded(desk):
    desk.bring(ROWS[2:3])
    desk.bring(ROWS[:1])

    assert names(desk, sort="loaded_at") == ["Bob", "Ann"]


def test_an_unknown_order_names_the_known_ones(desk):
    with pytest.raises(search.SortUnknown, match="last_name, first_name"):
        found(desk, sort="password")


def test_the_total_counts_those_not_shown_too(desk):
    desk.bring(ROWS)

    every, some = found(desk, limit=1), found(desk, "ann", limit=1)

    assert (len(every.recipients), every.total) == (1, 4)
    assert (len(some.recipients), some.total) == (1, 3)


def test_a_search_with_too_many_results_reports_it(desk, monkeypatch):
    monkeypatch.setattr(search, "_MAX_MATCHES", 2)
    desk.bring(ROWS)

    many, few = found(desk, "ann"), found(desk, "lee")

    assert (many.total, many.is_capped) == (2, True)
    assert (few.total, few.is_capped) == (1, False)


def test_a_found_recipient_has_its_provider_and_upload(desk):
    desk.bring(ROWS[:1])

    (row,) = found(desk, "ann").recipients.to_dict("records")

    assert (row["provider"], row["upload"], row["line"]) == ("mercy", "upload-1", 2)
    assert (row["username"], row["is_registered"]) == (
        "zoe@b.org.COVID19VACCINE",
        False,
    )


def test_a_search_in_an_empty_store_finds_nobody(desk):
    nobody = found(desk)

    assert (nobody.total, nobody.recipients.empty) == (0, True)
