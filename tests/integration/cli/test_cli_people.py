import io
import os
import pty

import terminals

WARNING = (
    "Other users of this machine can read the words of a command. To be asked for"
    " names: cvms recipients -\n"
)


def names(ended):
    return [each["first_name"] for each in ended.json["recipients"]]


def test_every_word_must_start_a_name(terminal, done):
    assert names(terminal.cvms("recipients", "--json")) == ["Bob", "Ann"]
    assert names(terminal.cvms("recipients", "AN", "o’d", "--json")) == ["Ann"]
    assert names(terminal.cvms("recipients", "ann", "lee", "--json")) == []


def test_names_are_read_from_standard_input(terminal, done, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("AN\no’d\n"))

    ended = terminal.cvms("recipients", "-", "--json")

    assert (names(ended), ended.err) == (["Ann"], "")


def test_names_are_asked_for_in_a_terminal(terminal, done):
    person, command = pty.openpty()
    with terminals.process("recipients", "-", stdin=command) as process:
        os.write(person, b"bob\n")
        out, err = process.communicate()
    os.close(person)
    os.close(command)

    assert err == "How the names or the address begin: "
    assert out.endswith("1 of 1 recipient\n")


def test_a_name_among_the_arguments_is_searched_with_a_warning(terminal, done):
    assert terminal.cvms("recipients", "bob").err == WARNING
    assert terminal.cvms("recipients").err == ""


def test_recipients_are_sorted_and_cut_and_counted(terminal, done):
    words = ("--sort", "birth_date", "--desc", "--limit", "1", "--json")

    ended = terminal.cvms("recipients", *words)

    assert names(ended) == ["Bob"]
    assert (ended.json["total"], ended.json["is_capped"]) == (2, False)
    assert ended.json["recipients"][0]["birth_date"] == "1991-03-04"


def test_a_person_sees_recipients_and_their_total(terminal, done):
    ended = terminal.cvms("recipients", "bob")

    assert "bob@b.example.org" in ended.out
    assert ended.out.endswith("1 of 1 recipient\n")


def test_an_unknown_column_is_reported_with_the_known_ones(terminal):
    ended = terminal.cvms("recipients", "--sort", "shoe_size")

    assert (ended.code, ended.out) == (1, "")
    assert "birth_date" in ended.err


def test_messages_are_listed_with_masked_addresses(terminal, done):
    listed = terminal.cvms("messages", "--upload", done, "--json").json

    by_kind = {(m["kind"], m["status"], m["attempts"]) for m in listed}
    assert by_kind == {("notice", "sent", 1), ("invitation", "waiting", 0)}
    assert {tuple(m["to"]) for m in listed if m["kind"] == "notice"} == {
        ("s***@m***.org",)
    }
    assert "ann@b.example.org" not in terminal.cvms("messages").out


def test_only_messages_that_are_still_to_be_sent(terminal, done):
    listed = terminal.cvms("messages", "--unsent", "--json").json

    assert [m["kind"] for m in listed] == ["invitation", "invitation"]


def test_an_empty_list_of_messages_is_reported(terminal):
    assert terminal.cvms("messages").out == "No such messages.\n"
    assert terminal.cvms("messages", "--json").json == []
