"""The demonstration prints the link of an invitation, from the Maildir."""

import letters

from cvms_pipeline.cli import demo_invitation
from cvms_pipeline.use_cases.recipients import access, invitations


def test_the_link_of_an_invitation_is_found_in_the_maildir_while_it_works(site):
    assert invitations.find_in_maildir(site.pipeline) is None
    token = letters.invite(site, letters.PEOPLE[:1])

    found = invitations.find_in_maildir(site.pipeline)

    assert found.username == letters.name_of()
    assert found.link.split("/")[-2] == token
    assert token not in repr(found)
    access.use_link(site.pipeline, token, username=found.username)
    assert invitations.find_in_maildir(site.pipeline) is None


def test_the_demonstration_prints_it_whole(site, capsys, monkeypatch):
    token = letters.invite(site, letters.PEOPLE[:1])

    demo_invitation.print_invitation(site.pipeline)

    printed = capsys.readouterr().out
    assert f"/set-password/{token}/" in printed.replace("\n", "")
    assert letters.name_of() in printed
    access.use_link(site.pipeline, token, username=letters.name_of())
    monkeypatch.setattr(demo_invitation, "_MAX_SECONDS", 0)
    demo_invitation.print_invitation(site.pipeline)
    assert "No invitation is in the Maildir yet" in capsys.readouterr().out
