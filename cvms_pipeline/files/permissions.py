"""Who may get at the folders: checked at every start, never changed behind one's back.

What personal data lies in is closed to other users of the machine, and so are the
files that hold a secret.  Which they are, the caller says.
"""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors

NOBODY_ELSE = stat.S_IRWXG | stat.S_IRWXO
NO_OTHERS = stat.S_IRWXO
NO_READING_OTHERS = stat.S_IROTH | stat.S_IWOTH
NO_WRITING_OTHERS = stat.S_IWOTH


class OpenToOthers(errors.PermanentError):
    """Other users of this machine get at personal data or a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A folder or a file, and the permission bits that it may not have."""

    path: Path
    forbidden: int

    @property
    def is_broken(self) -> bool:
        """Return whether it has one of them; not if there is no such thing yet."""
        try:
            return bool(self.path.stat().st_mode & self.forbidden)
        except FileNotFoundError:
            return False

    @property
    def remedy(self) -> str:
        """Return the command that mends it."""
        bits = zip("rwx", (stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH), strict=True)
        others = "".join(sign for sign, bit in bits if self.forbidden & bit)
        who = "go" if self.forbidden & stat.S_IRWXG else "o"
        return f"chmod {who}-{others} '{self.path}'"


def check(rules: Sequence[Rule]) -> None:
    """Check that every rule is kept.

    Raises:
        OpenToOthers: Names each one that is not, with the command that mends it.
    """
    broken = [rule.remedy for rule in rules if rule.is_broken]
    if broken:
        said = "Other users of this machine get at personal data or a secret. Run:"
        raise OpenToOthers("\n".join([said, *broken]))
