"""Odd files to begin with, and ways to make them odder.

Only bytes and how they change; what must hold for them is `invariants`.
"""

import random
from collections.abc import Callable

HEADER = "First name,Last name,Date of birth,Email"
REPORTED = "FirstName,LastName,Date of birth,Email,Error"
GOOD = "Ann,Lee,1/2/1990,ann@example.org"
MAX_SIZE = 20_000

SEEDS = [
    f"{HEADER}\n{GOOD}\n",
    f"{HEADER}\r\n{GOOD}\r\n\r\n,,,\r\n{GOOD}",
    f"{HEADER}\r{GOOD}\r{GOOD}",
    f"\n , \n{HEADER},Notes,,Phone\n{GOOD},x,,1\n",
    f'"{HEADER}"\n"Ann","Le""e","1/2/1990","a@b.org"\n',
    f'{HEADER}\n"Ann\nMarie","Lee","1/2/1990","a@b.org"\n"broken\n{GOOD}\n',
    f'{HEADER}\na","b","\n"",""\n" "\n"x"y,z\n{GOOD}',
    f"{REPORTED}\n=1+1,'=2,'''+3,@x,Line 2: why\n-a,\t\tb,1/1/2000,\rc",
    HEADER.replace(",", ";") + "\nAnn;Lee;1/2/1990;a@b.org;;\n;;;\n",
    HEADER.replace(",", "\t") + "\nAnn\tLee\t1/2/1990\ta@b.org\n",
    f"{HEADER}\nA\u0301nn,O\u2019Neil\u2010Lee,12/31/1999,a+b@c.museum\n\u202eAnn,,,\n",
    f"{HEADER}\nNA,None,02/29/2000,null@null.org\nAnn,Lee,02/30/2000,@\n",
    f"{HEADER}\n{'x' * 400},{'y' * 81},{'1/' * 300},{'a.' * 200}@b.org\n",
    f"Surname,Given name,DOB,E-mail\n{GOOD}\n{GOOD}\n{GOOD},,,x",
    ",".join(f"column {n}" for n in range(150)) + f",{HEADER}\n" + "," * 150 + GOOD,
]
TOKENS = [
    *(
        ",",
        ";",
        "\t",
        '"',
        '""',
        '"""',
        "\n",
        "\r",
        "\r\n",
        "\0",
        "'",
        "=",
        " ",
        "\xa0",
    ),
    *('",', ',"', '"\n', '\n"', '""\n', "\u200b", "\ufeff", "\u2028", "\x0b", "\x85"),
    *(
        "é",
        "e\u0301",
        "😀",
        "\ufdfa",
        "ß",
        "İ",
        "1/2/1990",
        "a@b.org",
        "Ann",
        HEADER,
        GOOD,
    ),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"]

Change = Callable[[bytes, random.Random], bytes]


def seeds() -> list[bytes]:
    """Return the files to start with, some in several encodings."""
    return [seed.encode("utf-8") for seed in SEEDS] + [
        seed.encode(encoding, "replace") for seed in SEEDS[:3] for encoding in ENCODINGS
    ]


def mutated(data: bytes, draws: random.Random) -> bytes:
    """Return `data` after a few changes."""
    for _ in range(draws.choice([1, 1, 2, 4, 8])):
        data = draws.choice(_CHANGES)(data, draws)
    return data[:MAX_SIZE]


def _token(data: bytes, draws: random.Random) -> bytes:
    at = draws.randint(0, len(data))
    return data[:at] + draws.choice(TOKENS).encode() + data[at:]


def _byte(data: bytes, draws: random.Random) -> bytes:
    at = draws.randint(0, len(data))
    return data[:at] + bytes([draws.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, draws: random.Random) -> bytes:
    start, end = _span(data, draws)
    return data[:start] + data[end:]


def _repeat(data: bytes, draws: random.Random) -> bytes:
    start, end = _span(data, draws)
    return data[:start] + data[start:end] * draws.choice([2, 3, 20, 150]) + data[end:]


def _move(data: bytes, draws: random.Random) -> bytes:
    start, end = _span(data, draws)
    at = draws.randint(0, len(data))
    return data[:at] + data[start:end] + data[at:]


def _again(data: bytes, draws: random.Random) -> bytes:
    """Encode the text in another encoding."""
    text = data.decode("utf-8", "replace")
    return text.encode(draws.choice(ENCODINGS), "replace")


def _span(data: bytes, draws: random.Random) -> tuple[int, int]:
    start = draws.randint(0, len(data))
    return start, min(len(data), start + draws.choice([1, 3, 10, 60, 500]))


_CHANGES: list[Change] = [_token, _token, _token, _byte, _cut, _repeat, _move, _again]
