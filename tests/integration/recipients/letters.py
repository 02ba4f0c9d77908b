"""The messages that recipients get, and the links in them, in words for tests."""

import re
from email import utils

import installations

from cvms_pipeline.use_cases import deliver

PEOPLE = [installations.ANN, installations.BOB]
CORRECTED = "Ann,Lee,1/2/1990,new@b.example.org"


def send(site: installations.Installation) -> None:
    """Send everything that is due."""
    for upload_id in site.column("SELECT id FROM cvms.uploads"):
        deliver.send_invitations(site.pipeline, upload_id)
    deliver.send_alerts(site.pipeline)


def list_tokens(site: installations.Installation, to: str) -> list[str]:
    """Return the links that an address was sent, in the order of their messages."""
    found = []
    sent = sorted(
        site.mail(), key=lambda each: utils.parsedate_to_datetime(each["Date"])
    )
    for message in sent:
        text = message.get_body(("plain",)).get_content()
        links = re.findall(r"/set-password/(\S+)/", text)
        if message["To"] == to and links:
            assert len(set(links)) == 1
            found.append(links[0])
    return found


def invite(site: installations.Installation, rows: list[str] | None = None) -> str:
    """Load people and send their invitations; return Ann's link."""
    site.bring(rows or PEOPLE)
    send(site)
    return list_tokens(site, "ann@b.example.org")[-1]


def get_id(site: installations.Installation, email: str = "ann@b.example.org") -> str:
    """Return the id of the recipient at an address."""
    (found,) = site.column(
        f"SELECT id::text FROM cvms.recipients WHERE email = '{email}'"  # noqa: S608 # a constant
    )
    return found


def name_of(email: str = "ann@b.example.org") -> str:
    """Return the username of the first at an address."""
    return f"{email}.COVID19VACCINE"
