"""The texts for options with a wrong value."""

import pytest

DROP = ("drop", "staff.csv", "--provider", "mercy")

# The command, and the text about its wrong option.
WRONG = [
    (
        (*DROP, "--lane", "mid"),
        "'--lane': 'mid' is not one of 'low_volume', 'high_volume'.",
    ),
    (
        (*DROP, "--lane", "low_volume", "--timeout", "soon"),
        "'--timeout': must be a number; for example 600",
    ),
    (
        (*DROP, "--lane", "low_volume", "--timeout", "-1"),
        "'--timeout': must be at least 0; for example 600",
    ),
    (("uploads", "--limit", "0"), "'--limit': must be at least 1; for example 20"),
    (("uploads", "--limit", "x"), "'--limit': must be a whole number; for example 20"),
    (
        ("audit", "--since", "today"),
        "'--since': must be a date such as 2025-03-15, or a date and time such as"
        " 2025-03-15T09:30:00",
    ),
    (
        ("audit", "--since", "2025-13-45"),
        "'--since': must be a date such as 2025-03-15, or a date and time such as"
        " 2025-03-15T09:30:00",
    ),
]


@pytest.mark.parametrize(("words", "explanation"), WRONG)
def test_a_wrong_value_of_an_option_is_explained(alone, words, explanation):
    ended = alone.cvms(*words)

    text = " ".join(line.strip("│ ") for line in ended.err.splitlines())
    assert (ended.code, ended.out) == (2, "")
    assert f"Invalid value for {explanation}" in text


def test_a_wrong_value_cannot_control_the_terminal(alone):
    ended = alone.cvms(*DROP, "--lane", "\x1b[2Jmid")

    assert ended.code == 2
    assert "\x1b[2J" not in ended.err
