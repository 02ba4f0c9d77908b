"""What people do in the portal brings them the messages that it promises."""

import re

import running

from benchmarks import visitors
from tests.chaos import registrants

ROSA = "rosa@clinic.example.org"
ROWS = f"{running.HEADER}\nAnn,Canarywood,7/19/1931,ann@canary.example.org\n"
TWICE = {"password": visitors.PASSWORD, "again": visitors.PASSWORD}


def visit(up, username):
    port = up.environment["CVMS_PORTAL_PORT"]
    return visitors.Visitor(url=f"http://127.0.0.1:{port}", username=username)


def wait_for_mail(up, address, words):
    """Return the text of the message to somebody that has these words, once it came."""

    def find():
        return [m for m in up.mail(words) if m["To"] == address]

    message = up.eventually(find)[0]
    return message.get_body(("plain",)).get_content()


def test_a_recipient_is_told_of_the_registration_and_mailed_another_link(up, people):
    (row,) = people(1)
    up.bring([row])
    address = row.rpartition(",")[2]
    ann = visit(up, f"{address}.COVID19VACCINE")
    invitation = wait_for_mail(up, address, "/set-password/")
    page = ann.get(re.search(r"http://[^/]+(/set-password/\S+/)", invitation)[1])
    ann.post("/set-password/", page, username=ann.username, **TWICE)

    end = registrants.fill_in(ann, ann.get("/me/registration/"), "1 Canary Lane")
    someone = visit(up, ann.username)
    form = someone.get("/accounts/forgot/")
    someone.post("/accounts/forgot/", form, username=ann.username)

    assert end.url.endswith("/complete/")
    wait_for_mail(up, address, "Your registration is complete")
    assert "/set-password/" in wait_for_mail(up, address, "Set your password for the")


def test_who_asks_the_help_desk_gets_a_link_and_the_number_of_the_case(up):
    rosa = visit(up, ROSA)
    name = {"first_name": "Rosa", "last_name": "Canarywood"}
    rosa.post("/register/", rosa.get("/register/"), address=ROSA, **name)
    invited = wait_for_mail(up, ROSA, "/accounts/set-password/")
    link = re.search(r"http://[^/]+(/accounts/set-password/\S+)", invited)[1]
    rosa.post("/accounts/set-password/", rosa.get(link), **TWICE)
    rosa.log_in()

    form = rosa.get("/cases/new/")
    opened = rosa.post(
        "/cases/new/",
        form,
        files={"file": ("clinic.csv", ROWS, "text/csv")},
        key=visitors.find_hidden(form, "key"),
        kind="bulk_upload",
        vfc_pin="NCA123457",
        organisation="Harbor Clinic",
        name="Rosa Canarywood",
        email=ROSA,
    )

    number = re.search(r"VACHCP\d+", opened.url)[0]
    wait_for_mail(up, ROSA, f"Case {number} opened - Recipient Bulk Upload")
