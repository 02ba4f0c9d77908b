"""Bulk Registration as somebody uses it, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

HEADER = "First name,Last name,Date of birth,Email"
ANN = "Ann,Lee,1/2/1990,ann@b.example.org"
BAD = "Cy,,13/41/1991,cy@b.example.org"
DATA = "\n".join([HEADER, ANN, BAD])
DROP = """text => {
  const data = new DataTransfer();
  data.items.add(new File([text], "staff.csv", { type: "text/csv" }));
  const zone = document.querySelector(".drop-zone");
  for (const name of ["dragover", "drop"])
    zone.dispatchEvent(new DragEvent(name, { dataTransfer: data, cancelable: true }));
}"""
with_and_without = pytest.mark.parametrize(
    "scripted", [True, False], ids=["with JavaScript", "without"]
)


def choose(someone, data=DATA):
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": data.encode()}
    someone.page.locator("[name=file]").set_input_files(file)


def process(site):
    """Do what a run does; return the upload's id."""
    (upload_id,) = site.installation.column("SELECT id FROM cvms.uploads")
    site.installation.process(upload_id)
    return upload_id


@with_and_without
def test_low_volume_goes_from_the_file_to_the_alert_that_follows_by_itself(
    site, visitor, scripted
):
    someone = visitor(site.add_account(), java_script_enabled=scripted)
    someone.open("/bulk/")

    choose(someone)
    someone.press("Review file")
    someone.page.reload()
    main = someone.page.locator("main")
    expect(main).to_contain_text(
        "Create Records loads 1 recipient and leaves out 1 row with a problem."
    )
    someone.page.get_by_role("link", name="Show only rows with problems").click()
    expect(main).not_to_contain_text("ann@b.example.org")
    someone.press("Create Records")
    assert someone.heading == "Creating records"
    process(site)

    expect(main).to_contain_text("1 recipient successfully loaded, 1 failed.")
    someone.page.get_by_role("link", name="OK").click()
    assert someone.heading == "staff.csv"
    expect(main).to_contain_text("Rejected rows")


@with_and_without
def test_high_volume_shows_the_banner_and_follows_the_upload(site, visitor, scripted):
    someone = visitor(site.add_account(), java_script_enabled=scripted)
    someone.open("/bulk/high-volume/")

    choose(someone)
    someone.press("Submit file")
    main = someone.page.locator("main")
    expect(main).to_contain_text("Success · File submitted for processing")
    process(site)

    expect(main).to_contain_text("Some rows rejected")


def test_a_file_can_be_dragged_into_the_box(site, visitor):
    someone = visitor(site.add_account())
    someone.open("/bulk/")

    someone.page.evaluate(DROP, DATA)
    expect(someone.page.locator("[data-chosen]")).to_have_text(
        f"Chosen: staff.csv, {len(DATA)} bytes"
    )
    someone.press("Review file")

    assert someone.heading == "Review of staff.csv"


def test_two_clicks_on_create_records_make_one_upload(site, visitor):
    someone = visitor(site.add_account())
    someone.open("/bulk/")
    choose(someone)
    someone.press("Review file")

    button = someone.page.get_by_role("button", name="Create Records")
    button.dblclick()
    someone.page.wait_for_url("**/bulk/sent/**")

    assert len(site.installation.column("SELECT id FROM cvms.uploads")) == 1


def test_a_review_in_another_tab_leads_to_what_was_decided(site, visitor):
    someone = visitor(site.add_account())
    someone.open("/bulk/")
    choose(someone)
    someone.press("Review file")
    other = someone.context.new_page()
    other.goto(someone.page.url)

    someone.press("Create Records")
    other.get_by_role("button", name="Cancel and remove the file").click()

    expect(other.locator("main")).to_contain_text("It was too late to cancel")
    expect(other.locator("h1")).to_have_text("Creating records")


def test_a_review_waits_while_the_session_has_ended(site, visitor):
    account = site.add_account()
    someone = visitor(account)
    someone.open("/bulk/")
    choose(someone)
    someone.press("Review file")
    address = someone.page.url

    someone.context.clear_cookies()
    someone.page.reload()
    assert someone.heading == "Log in"
    someone.log_in_by_cookie(site, account)
    someone.page.goto(address)

    assert someone.heading == "Review of staff.csv"
