"""The table of letters (`letters.json`): making it, and how well it tells encodings.

Names and places come from the lists of Faker, by country.  Seven in ten names are
learnt from; the other three are the ones that are measured with.
"""

import argparse
import importlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import faker.providers.address
import faker.providers.person

from benchmarks import letter_names
from cvms_pipeline.domain.reading import letter_counts, letters

_TABLE = Path(letter_counts.__file__).with_name("letters.json")
_LANGUAGES: Mapping[str, str] = {
    "western": (
        "da_DK de_AT de_CH de_DE de_LI de_LU en_IE en_IN es_AR es_CA es_CL es_CO es_ES"
        " es_MX et_EE fi_FI fr_BE fr_CA fr_CH fr_DZ fr_FR ga_IE ha_NG is_IS it_IT nl_BE"
        " nl_NL no_NO pt_BR pt_PT sv_SE uz_UZ"
    ),
    "central": "cs_CZ sk_SK pl_PL hu_HU sl_SI hr_HR ro_RO de_DE",
    "turkish": "tr_TR",
    "baltic": "lt_LT lv_LV et_EE pl_PL",
    "cyrillic": "ru_RU uk_UA bg_BG mk_MK",
    "greek": "el_GR",
    "hebrew": "he_IL",
    "arabic": "ar_AA ar_SA ar_PS fa_IR",
}
"""The countries whose names each group of languages is learnt from."""
MEASURED: Mapping[str, Sequence[str]] = {
    "windows-1252": _LANGUAGES["western"].split(),
    "mac_roman": _LANGUAGES["western"].split(),
    "cp850": _LANGUAGES["western"].split(),
    "cp437": _LANGUAGES["western"].split(),
    "cp1250": _LANGUAGES["central"].split(),
    "iso8859_2": _LANGUAGES["central"].split(),
    "mac_latin2": _LANGUAGES["central"].split(),
    "cp852": _LANGUAGES["central"].split(),
    "cp1254": _LANGUAGES["turkish"].split(),
    "cp857": _LANGUAGES["turkish"].split(),
    "cp1257": _LANGUAGES["baltic"].split(),
    "cp1251": _LANGUAGES["cyrillic"].split(),
    "koi8_r": _LANGUAGES["cyrillic"].split(),
    "cp866": _LANGUAGES["cyrillic"].split(),
    "mac_cyrillic": _LANGUAGES["cyrillic"].split(),
    "iso8859_5": _LANGUAGES["cyrillic"].split(),
    "cp1253": _LANGUAGES["greek"].split(),
    "cp1255": _LANGUAGES["hebrew"].split(),
    "cp1256": _LANGUAGES["arabic"].split(),
    "cp1258": ["vi_VN"],
    "cp874": ["th_TH"],
    "gb18030": ["zh_CN"],
    "big5": ["zh_TW"],
    "cp932": ["ja_JP"],
    "cp949": ["ko_KR"],
}
"""The encodings that are measured, and the countries whose names they are used for."""

_SIZES = (1, 3, 10, 40)
_MANY_CONTEXTS = 1_200
"""In languages with more, those that were found once or twice are left out."""

_SEED = 4
_SHARE_LEARNT = 0.7
_ROMANIAN = str.maketrans("șțȘȚ", "şţŞŢ")
"""The letters with comma, which no older code page has, as they are written there."""


def list_names(country: str) -> list[str]:
    """Return the names of a country that have letters outside ASCII, in order."""
    return _list_texts(faker.providers.person, country)


def split(country: str) -> tuple[list[str], list[str]]:
    """Return the names to learn from and the names to measure with."""
    names = list_names(country)
    random.Random(f"{_SEED} {country}").shuffle(names)
    learnt = round(len(names) * _SHARE_LEARNT)
    return names[:learnt], names[learnt:]


def _list_texts(package: object, country: str) -> list[str]:
    try:
        module = importlib.import_module(f"{package.__name__}.{country}")
    except ImportError:
        return []
    provider = module.Provider
    listed = [n for n in dir(provider) if n[0] != "_" and not n.startswith("language")]
    held = (getattr(provider, name) for name in listed)
    found = {
        text.translate(_ROMANIAN)
        for value in held
        if isinstance(value, (dict, list, tuple, set, frozenset))
        for text in _flatten(value)
    }
    return sorted(text for text in found if not text.isascii() and "{" not in text)


def _flatten(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from _flatten(pair)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from _flatten(part)


def make_table() -> dict[str, dict[str, str]]:
    """Return the counts of letters in their contexts, by group and language."""
    return {
        group: {
            language: _count(countries)
            for language, countries in _group_countries(listed).items()
        }
        for group, listed in _LANGUAGES.items()
    }


def _group_countries(listed: str) -> dict[str, list[str]]:
    languages: dict[str, list[str]] = {}
    for country in listed.split():
        languages.setdefault(country[:2], []).append(country)
    return languages


def _count(countries: Iterable[str]) -> str:
    counts: Counter[letter_counts.Context] = Counter()
    for country in countries:
        held_back = set(split(country)[1])
        has_places = country[:2] not in {"el", "ru", "uk"}
        listed = _list_texts(faker.providers.address, country) if has_places else []
        places = set(listed) - held_back
        weight = 3 if places else 1  # names say more about names than places do
        learnt = [name for name in split(country)[0] for _ in range(weight)]
        learnt += letter_names.MORE.get(country, "").split() * 3
        for word in [*learnt, *places]:
            found = letters.find_contexts(word)
            counts.update(filter(_is_learnt, found))
    least = 3 if len(counts) > _MANY_CONTEXTS else 1
    counts = Counter({context: n for context, n in counts.items() if n >= least})
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return " ".join("".join(c) + (str(n) if n > 1 else "") for c, n in ordered)


def _is_learnt(context: letter_counts.Context) -> bool:
    is_letter = context[1].isalpha() or context[1] in "\u2019\u2018\u2013"
    neighbours = context[0].strip("^") + context[2].strip("$")
    return is_letter and (not neighbours or neighbours.isalpha())


def _make_files(
    names: Sequence[str], encoding: str, size: int, count: int
) -> Iterator[list[bytes]]:
    """Yield so many files of held-back names: each is `size` names as bytes."""
    chosen = random.Random(f"{_SEED} {encoding} {size}")
    encoded = [encode(name, encoding) for name in names]
    held = [data for data in encoded if data is not None and not data.isascii()]
    for _ in range(count if held else 0):
        yield [chosen.choice(held) for _ in range(size)]


def encode(name: str, encoding: str) -> bytes | None:
    """Return `name` in an encoding, None if the encoding lacks one of its letters."""
    try:
        return name.encode(encoding)
    except UnicodeEncodeError:
        return None


def measure(files: int) -> list[dict[str, object]]:
    """Return for each encoding and size what becomes of so many files a country.

    `wrong` counts the files of which a name would be loaded with wrong letters, and
    `troubled` those in Windows-1252 of which a sound name would be rejected.
    """
    return [
        _measure(encoding, countries, size, files)
        for encoding, countries in MEASURED.items()
        for size in _SIZES
    ]


def _measure(
    encoding: str, countries: Sequence[str], size: int, files: int
) -> dict[str, object]:
    tried = wrong = troubled = hinted = misled = 0
    by_country: Counter[str] = Counter()
    examples: list[list[str]] = []
    for country in countries:
        for file in _make_files(split(country)[1], encoding, size, files):
            tried += 1
            found = letters.judge(set(file))
            right = [data.decode(encoding) for data in file]
            read = [data.decode(letters.ASSUMED, "replace") for data in file]
            is_wrong = found.is_assumed and read != right
            is_troubled = not found.is_assumed and encoding == letters.ASSUMED
            wrong += is_wrong
            troubled += is_troubled
            if is_wrong or is_troubled:
                by_country[country] += 1
                examples.append(read[:4])
            if found.probable:
                hinted += 1
                misled += [data.decode(found.probable) for data in file] != right
    return {
        "encoding": encoding,
        "names": size,
        "files": tried,
        "wrong": wrong,
        "troubled": troubled,
        "hinted": hinted,
        "misled": misled,
        "by_country": dict(by_country.most_common(6)),
        "examples": examples[:5],
    }


def main(given: Sequence[str] | None = None) -> int:
    """Write the table, or measure it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks letters")
    parser.add_argument("--write", action="store_true", help="make the table again")
    parser.add_argument("--quick", action="store_true", help="fewer files")
    parser.add_argument("--json", action="store_true", help="one object, no table")
    chosen = parser.parse_args(given)
    if chosen.write:
        text = json.dumps(make_table(), ensure_ascii=False, indent=0)
        _TABLE.write_text(text + "\n", encoding="utf-8")
        return 0
    results = measure(30 if chosen.quick else 100)
    if chosen.json:
        print(json.dumps(results, ensure_ascii=False))
    else:
        for result in results:
            print(*result.values())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
