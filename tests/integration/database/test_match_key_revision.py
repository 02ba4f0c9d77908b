"""The revision that makes the match keys of stored recipients again."""

import pytest
import sqlalchemy as sa

from cvms_pipeline.database import engine, revisions

_PROVIDER = (
    "INSERT INTO cvms.providers (slug, name, vfc_pin, emails, created_at)"
    " VALUES ('mercy', 'Mercy', 'NCA000001', '{a@b.org}', now())"
)
_UPLOAD = (
    "INSERT INTO cvms.uploads (id, folder, lane, file_name, provider, received_at)"
    " VALUES ('first', 'mercy', 'low_volume', 'staff.csv', 'mercy', now())"
)
_RECIPIENT = sa.text(
    "INSERT INTO cvms.recipients (first_name, last_name, email, provider, upload_id,"
    " birth_date, first_key, last_key, username, username_number, source_line,"
    " loaded_at) VALUES (:first, :last, 'a@b.org', 'mercy', 'first', '1971-04-05',"
    " :first_key, :last_key, :username, 1, :line, now() + :line * interval '1 second')"
)


def upgrade_with(url: str, people: list[tuple[str, str, str, str]]) -> list[str]:
    """Return the keys after the upgrade of people with `(names, earlier keys)`."""
    store = engine.Store(url, pool_size=1)
    with store.begin() as conn:
        conn.execute(sa.text(_PROVIDER))
        conn.execute(sa.text(_UPLOAD))
        for line, (first, last, first_key, last_key) in enumerate(people):
            values = {"first": first, "last": last, "line": line}
            keys = {"first_key": first_key, "last_key": last_key}
            conn.execute(_RECIPIENT, {**values, **keys, "username": f"user {line}"})
        conn.execute(sa.text("UPDATE cvms.alembic_version SET version_num = '0007'"))
    revisions.upgrade(url)
    query = sa.text(
        "SELECT first_key || '/' || last_key FROM cvms.recipients ORDER BY source_line"
    )
    with store.begin() as conn:
        keys = conn.scalars(query).all()
    store.close()
    return list(keys)


@pytest.mark.parametrize(
    ("first", "last", "first_key", "last_key", "upgraded"),
    [
        ("Ann", "Lee", "ann", "lee", "ann/lee"),
        ("José", "D'Arcy", "josé", "d'arcy", "josé/d'arcy"),
        ("Ipek", "DʿArcy", "ipek", "dʿarcy", "ipek/d'arcy"),
        ("İpek", "Tekin", "i\u0307pek", "tekin", "ipek/tekin"),
        ("Işıl", "Tekin", "işıl", "tekin", "işil/tekin"),
        ("Max", "Smith Jr.", "max", "smith jr.", "max/smith jr"),
        ("'Ann", "Lee-", "'ann", "lee-", "ann/lee"),
    ],
)
def test_stored_recipients_get_the_keys_that_their_names_have_now(
    database_url, first, last, first_key, last_key, upgraded
):
    keys = upgrade_with(database_url, [(first, last, first_key, last_key)])

    assert keys == [upgraded]


def test_of_people_whose_keys_become_equal_the_first_has_the_new_key(database_url):
    people = [
        ("Max", "Smith Jr.", "max", "smith jr."),
        ("Max", "Smith Jr'", "max", "smith jr'"),
        ("İpek", "Tekin", "i\u0307pek", "tekin"),
        ("Ipek", "Tekin", "ipek", "tekin"),
    ]

    keys = upgrade_with(database_url, people)

    assert keys == ["max/smith jr", "max/smith jr'", "i\u0307pek/tekin", "ipek/tekin"]
