import pytest

from cvms_pipeline.database import engine

SUFFIX = ".COVID19VACCINE"


def usernames(desk):
    query = "SELECT username FROM cvms.recipients ORDER BY upload_id, source_line"
    return [str(name).removesuffix(SUFFIX) for name in desk.column(query)]


def family(*names, email="lee@b.org"):
    return [f"{name},Lee,1/2/1990,{email}" for name in names]


def test_a_username_is_the_e_mail_and_the_suffix(desk):
    desk.bring(family("Ann"))

    assert desk.column("SELECT username FROM cvms.recipients") == [
        "lee@b.org.COVID19VACCINE"
    ]


def test_a_family_in_one_file_is_numbered_in_order_of_line(desk):
    desk.bring(family("Zoe", "Ann", "Moe"))

    assert usernames(desk) == ["lee@b.org", "lee@b.org.2", "lee@b.org.3"]


def test_a_family_over_several_uploads_is_numbered_on(desk):
    desk.bring(family("Ann", "Bob"))
    desk.bring(family("Cy", "Di"))
    desk.bring(family("Ed"), "duke")

    assert usernames(desk) == [
        "lee@b.org", "lee@b.org.2", "lee@b.org.3", "lee@b.org.4", "lee@b.org.5",
    ]  # fmt: skip


def test_a_username_that_was_taken_since_the_plan_gets_a_number(desk):
    upload_id = desk.receive("mercy")
    planned = desk.decide(upload_id, family("Bob", "Cy"))
    desk.bring(family("Ann"), "duke")

    desk.load(upload_id, planned)

    assert usernames(desk) == ["lee@b.org.2", "lee@b.org.3", "lee@b.org"]


def test_a_username_that_became_free_since_the_plan_is_used(desk):
    desk.bring(family("Ann"))
    upload_id = desk.receive("mercy")
    planned = desk.decide(upload_id, family("Bob", "Cy"))
    desk.bring(family("Ann", email="ann@b.org"))

    desk.load(upload_id, planned)

    assert usernames(desk) == ["ann@b.org", "lee@b.org", "lee@b.org.2"]


def test_capital_letters_do_not_make_another_username(desk):
    desk.bring([*family("Ann"), *family("Bob", email="LEE@b.org")])
    desk.bring(family("Cy", email="Lee@B.org"))

    assert usernames(desk) == ["lee@b.org", "LEE@b.org.2", "Lee@B.org.3"]


def test_the_database_itself_refuses_a_username_twice(desk):
    desk.bring(family("Ann", "Bob"))

    with pytest.raises(engine.StoreError) as raised:
        desk.execute("UPDATE cvms.recipients SET username = 'SAME'")

    assert raised.value.constraint == "uq_recipients_username"


def test_a_username_follows_a_corrected_e_mail(desk):
    desk.bring(family("Ann", "Bob"))

    desk.bring([*family("Bob", email="bob@b.org"), *family("Cy", email="bob@b.org")])

    assert usernames(desk) == ["lee@b.org", "bob@b.org", "bob@b.org.2"]


def test_a_correction_to_a_shared_e_mail_is_numbered(desk):
    desk.bring([*family("Ann", "Bob"), *family("Cy", email="cy@b.org")])

    desk.bring(family("Cy"))

    assert usernames(desk) == ["lee@b.org", "lee@b.org.2", "lee@b.org.3"]


def test_the_number_of_a_username_is_not_used_again(desk):
    desk.bring(family("Ann", "Bob"))
    desk.bring(family("Ann", email="ann@b.org"))

    desk.bring(family("Cy", "Di"))

    assert usernames(desk) == ["ann@b.org", "lee@b.org.2", "lee@b.org", "lee@b.org.3"]


def test_an_address_that_looks_like_a_numbered_username_takes_none(desk):
    desk.bring([*family("Ann", "Bob"), *family("Cy", email="lee@b.org.2")])

    assert usernames(desk) == ["lee@b.org", "lee@b.org.2"]  # Cy is rejected
