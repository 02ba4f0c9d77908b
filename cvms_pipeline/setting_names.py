"""The names of the settings: which of those that somebody has set are none of ours.

Pure text; where names may be set is read by `settings`.  Whoever has misspelt a setting
believes that it counts.
"""

import difflib
import re
from collections.abc import Collection, Mapping

PREFIX = "CVMS_"

_BY_KUBERNETES = re.compile(
    r"\w+_SERVICE_(HOST|PORT(_\w+)?)|\w+_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
)
"""What Kubernetes tells every pod about a service that is called `cvms-...`."""

_ALIKE, _MISSPELT = 0.75, 0.88
"""How like a name must be to one of ours, to be asked about, and to be meant for it."""

_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


def unknown(names: Collection[str], known: Collection[str], *, place: str) -> list[str]:
    """Return a sentence for each of `names` that looks like a setting and is none.

    Args:
        names: What is set, in any case of letters.
        known: Every setting, as a variable.
        place: Where they are set: in a file of ours.
    """
    return [_sentence(name, known, place) for name in _unknown(names, known)]


def misspelt(names: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Return a sentence for each variable of the environment that is nearly a setting.

    The environment belongs to others, too, who may call theirs by the same prefix.

    Args:
        names: The environment.
        known: Every setting, as a variable.
    """
    return [
        _sentence(name, known, "the environment")
        for name in _unknown(names, known)
        if difflib.get_close_matches(name.upper(), known, n=1, cutoff=_MISSPELT)
        and not _is_of_kubernetes(name, names[name])
    ]


def _unknown(names: Collection[str], known: Collection[str]) -> list[str]:
    return [
        name
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]


def _is_of_kubernetes(name: str, value: str) -> bool:
    is_address = name.endswith("_PORT") and bool(_ADDRESS.match(value))
    return is_address or bool(_BY_KUBERNETES.fullmatch(name))


def _sentence(name: str, known: Collection[str], place: str) -> str:
    alike = difflib.get_close_matches(name.upper(), known, n=1, cutoff=_ALIKE)
    meant = f"; is {alike[0]} meant?" if alike else "."
    return f"{name}, set in {place}, is no setting{meant} All are in .env.example."
