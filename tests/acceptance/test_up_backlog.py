"""Many files at once, and a small file of another provider that comes later."""

MANY = 60
LATE = "duke"

NOTICED_BEFORE = """
SELECT count(*)
FROM cvms.messages AS notice
JOIN cvms.messages AS late ON late.upload_id = :late AND late.kind = 'notice'
WHERE notice.upload_id = ANY(:many) AND notice.kind = 'notice'
    AND notice.sent_at < late.sent_at
"""


def test_a_late_file_does_not_wait_behind_many_of_another_provider(up, people):
    words = ("--name", "Duke", "--pin", "NCA654321", "--email", "staff@d.example.org")
    up.cvms("providers", "add", LATE, *words)
    with up.locked("cvms.recipients"):
        names = [up.drop(people(1)) for _ in range(MANY)]
        many = [up.upload_of(name) for name in names]
        late = up.upload_of(up.drop(people(1), slug=LATE))

    up.finished(late)

    for upload_id in many:
        up.finished(upload_id)
        assert up.status(upload_id) == "completed"
    ((before,),) = up.rows(NOTICED_BEFORE, late=late, many=many)
    assert before < MANY // 2
