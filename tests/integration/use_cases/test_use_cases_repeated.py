"""What notice and receipt say about the same file again, and about a cut one."""

from dataclasses import replace

from installations import ANN, BAD, BOB, HEADER

from cvms_pipeline.use_cases import receive

CUT = "so the file may have been cut"


def bring(site, rows, **where):
    content = "\r\n".join([HEADER, *rows, ""]).encode()
    return site.bring(content, **where)


def read_texts(site, upload_id):
    """Return the text of the upload's receipt and that of its notice."""
    results = site.lane().parent / "results"
    (receipt,) = results.glob(f"*-{upload_id}/receipt.txt")
    texts = [receipt.read_text("utf-8")]
    for message in site.mail():
        text = message.get_body(("plain",)).get_content()
        if f"Upload: {upload_id}" in text:
            texts.append(text.replace("\r\n", "\n"))
    assert len(texts) == 2
    return [" ".join(text.split()) for text in texts]


def test_the_identical_file_again_is_said_on_top(site):
    first = bring(site, [ANN, BOB, BAD])
    day = site.pipeline.today(site.upload(first).received_at)

    second = bring(site, [ANN, BOB, BAD], file_name="again.csv")

    on = f"{day:%B} {day.day}, {day.year}"
    sentence = (
        f"The same file was loaded on {on} as {first}: 2 of its rows are in the"
        " system. The Bulk Employee upload file has loaded with errors."
    )
    for text in read_texts(site, second):
        assert text.startswith(sentence)
    for text in read_texts(site, first):
        assert text.startswith("The Bulk Employee upload file has loaded")


def test_the_third_time_the_first_upload_is_named(site):
    first = bring(site, [ANN, BOB])
    bring(site, [ANN, BOB])

    third = bring(site, [ANN, BOB])

    for text in read_texts(site, third):
        assert f"as {first}: 2 of its rows are in the system." in text


def test_a_file_without_a_loaded_row_was_only_dropped_before(site):
    first = bring(site, [BAD])

    second = bring(site, [BAD])

    for text in read_texts(site, second):
        assert text.startswith("The same file was dropped before, on ")
        assert f" as {first}: none of its rows is in the system." in text


def test_another_provider_hears_nothing_of_the_same_file(site):
    site.add_provider("hope")
    bring(site, [ANN], slug="hope")

    upload_id = bring(site, [ANN])

    for text in read_texts(site, upload_id):
        assert "The same file" not in text


def test_running_the_first_again_does_not_mention_the_second(site):
    first = bring(site, [ANN, BOB])
    bring(site, [ANN, BOB])
    before = site.everything()

    site.process(first)

    assert site.everything() == before


def test_a_last_line_without_its_line_break_may_have_been_cut(site):
    upload_id = site.bring([ANN, BOB])  # without one at the end

    for text in read_texts(site, upload_id):
        assert CUT in text


def test_a_last_line_with_its_line_break_is_not_mentioned(site):
    upload_id = bring(site, [ANN, BOB])

    for text in read_texts(site, upload_id):
        assert CUT not in text


def test_a_refused_file_is_not_called_cut(site):
    upload_id = site.bring(b"%PDF-1.7\n%%EOF")

    for text in read_texts(site, upload_id):
        assert CUT not in text


def test_a_program_that_appends_line_by_line_makes_one_upload(site):
    folders = replace(site.pipeline.folders, settle_seconds=2.0, unfinished_seconds=10)
    site.pipeline = replace(site.pipeline, folders=folders)
    path = site.lane() / "staff.csv"
    for line in (HEADER, ANN, BOB):
        with path.open("a") as file:
            file.write(f"{line}\n")
        site.clock.forward(seconds=0.5)
        assert not receive.receive(site.pipeline).is_complete
        assert site.column("SELECT count(*) FROM cvms.uploads") == [0]

    site.clock.forward(seconds=11)
    (taken,) = site.take_in()
    site.process(taken.id)

    assert site.upload(taken.id).loaded == 2
