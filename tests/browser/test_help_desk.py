"""A location without an account asks the help desk, whose staff load its file."""

import re

import pytest

from cvms_pipeline.use_cases import deliver
from tests.browser import visits

ROSA = "rosa@clinic.example.org"
WORDS = "four blue horses run fast"
FILE = b"First name,Last name,Date of birth,Email\nAnn,Lee,1/2/1990,ann@b.example.org\n"


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without"])
def visit(request, visitor):
    def visit_(account=None):
        return visitor(account, java_script_enabled=request.param)

    return visit_


def _register(site, rosa: visits.Visitor) -> None:
    """Register, set a password by the mailed link, and log in."""
    rosa.open("/accounts/login/")
    rosa.page.get_by_role("link", name="Register to ask the help desk").click()
    rosa.fill(first_name="Rosa", last_name="Diaz", address=ROSA)
    rosa.press("Register")
    deliver.send_alerts(site.pipeline)
    (message,) = site.installation.mail()
    text = message.get_body(("plain",)).get_content()
    rosa.open(re.search(r"http://[^/]+(/accounts/set-password/\S+)", text)[1])
    rosa.fill(password=WORDS, again=WORDS)
    rosa.press("Set the password")
    rosa.fill(login=ROSA, password=WORDS)
    rosa.press("Log in")


def _open_case(rosa: visits.Visitor) -> str:
    rosa.page.get_by_role("link", name="Ask the help desk").click()
    rosa.page.locator("[name=kind]").select_option("bulk_upload")
    rosa.fill(vfc_pin="NCA123456", organisation="Harbor Clinic")
    file = {"name": "clinic.csv", "mimeType": "text/csv", "buffer": FILE}
    rosa.page.locator("[name=file]").set_input_files(file)
    rosa.press("Send the request")
    return rosa.heading.split()[1]


def test_a_location_is_helped_from_the_registration_to_the_end(site, visit):
    rosa, lee = visit(), visit(site.add_account("lee@example.org", role="help_desk"))
    _register(site, rosa)
    number = _open_case(rosa)

    lee.open("/desk/")
    lee.page.get_by_role("link", name=number).click()
    lee.page.locator("#reply_text").fill("Which day was it made?")
    lee.press("Send the reply")
    rosa.open(f"/cases/{number}/")
    assert "The help desk waits for your answer." in rosa.page.inner_text("main")
    rosa.page.locator("#reply_text").fill("Yesterday.")
    rosa.press("Send the reply")
    lee.open(f"/desk/{number}/")
    assert "Yesterday." in lee.page.inner_text("main")
    lee.page.get_by_role("link", name="Review clinic.csv").click()
    lee.press("Load for this provider")
    (upload,) = site.installation.column("SELECT id FROM cvms.uploads")
    site.installation.process(upload)
    lee.open(f"/desk/{number}/")
    assert "Success" in lee.page.inner_text("main")
    lee.page.locator("#handle_state").select_option("closed")
    lee.press("Save")

    rosa.open(f"/cases/{number}/")
    text = rosa.page.inner_text("main")
    assert "The case is closed." in text
    assert "What became of clinic.csv" in text
