"""Somebody who was invited: the link in the message, the answers, the account."""

import re
from email import utils
from typing import Any

import installations

from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.recipients import access
from tests.answers import ANSWERS

ADDRESS = "ann@b.example.org"
USERNAME = f"{ADDRESS}.COVID19VACCINE"
PASSWORD = "four blue horses run fast"
NEW = {"username": USERNAME, "password": PASSWORD, "again": PASSWORD}


def send(site: Any) -> None:
    """Send every message that is due."""
    for upload_id in site.installation.column("SELECT id FROM cvms.uploads"):
        deliver.send_invitations(site.pipeline, upload_id)
    deliver.send_alerts(site.pipeline)


def list_links(site: Any, to: str = ADDRESS) -> list[str]:
    """Return the paths of the links that were sent to an address, in their order."""
    send(site)
    sent = sorted(
        site.installation.mail(),
        key=lambda message: utils.parsedate_to_datetime(message["Date"]),
    )
    texts = [
        message.get_body(("plain",)).get_content()
        for message in sent
        if message["To"] == to
    ]
    found = [re.findall(r"http://[^/]+(/set-password/\S+/)", text) for text in texts]
    return [links[0] for links in found if links]


def invite(site: Any) -> str:
    """Load Ann and send her invitation; return the path of her link."""
    site.installation.bring([installations.ANN])
    return list_links(site)[-1]


def find_id(site: Any) -> str:
    """Return Ann's id."""
    query = f"SELECT id::text FROM cvms.recipients WHERE email = '{ADDRESS}'"  # noqa: S608 # a constant
    (found,) = site.installation.column(query)
    return str(found)


def find_owner(site: Any) -> access.Owner:
    """Return Ann as her own pages show her."""
    return access.get_owner(site.pipeline, find_id(site))


def set_password(site: Any, browser: Any, path: str) -> Any:
    """Set the password with a link; return the answer."""
    return browser.post(browser.get(path)["Location"], NEW)


def let_in(site: Any, **options: Any) -> Any:
    """Return a browser in which Ann has set her password and is logged in."""
    browser = site.browser(**options)
    assert set_password(site, browser, invite(site))["Location"] == "/me/"
    return browser


def fill(browser: Any, **changed: Any) -> Any:
    """Answer everything, and return the answer of the step."""
    browser.post("/me/registration/introduction/", {"action": "next"})
    typed = {**ANSWERS, "action": "next", **changed}
    return browser.post("/me/registration/detail/", typed)


def read_version(browser: Any) -> str:
    """Return which answers the confirmation shows."""
    page = browser.get("/me/registration/confirmation/").content.decode()
    return re.findall(r'name="version" value="([^"]*)"', page)[0]


def confirm(browser: Any) -> Any:
    """Send what the confirmation shows."""
    typed = {"action": "send", "version": read_version(browser)}
    return browser.post("/me/registration/confirmation/", typed)
