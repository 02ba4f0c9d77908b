"""Names of files: which of them are taken in, and what may be part of a path.

Pure text.  A name that was made safe here may be part of a path; one that is fit to
be shown (`domain.text.display`) may be in a message or a table, never in a path.
"""

import enum
import re
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload

_TEXTS = ("csv", "txt", "tsv")
_SPREADSHEETS = (
    *("xls", "xlsx", "xlsm", "xlsb", "xlt", "xltx", "xltm"),
    *("ods", "fods", "ots", "numbers", "gsheet"),
)
_ARCHIVES = ("zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar")
_DOCUMENTS = (
    *("pdf", "doc", "docx", "docm", "odt", "rtf", "pages", "ppt", "pptx"),
    *("htm", "html", "xhtml", "mht", "mhtml", "xml", "json", "jsonl", "ndjson"),
    *("eml", "msg", "gpg", "pgp", "asc"),
)
_TAKEN_ENDINGS = frozenset((*_TEXTS, *_SPREADSHEETS, *_ARCHIVES, *_DOCUMENTS))
"""What is read, and what is refused with advice about how to save it as a CSV."""

_TEMPORARY_ENDINGS = frozenset(
    (
        *("part", "filepart", "partial", "tmp", "temp", "swp", "swo", "swx"),
        *("crdownload", "download", "opdownload", "uploading", "upload", "ffs_tmp"),
        *("_copying_", "bak", "backup", "old", "orig", "rej", "sav", "save", "copy"),
        *("lock", "lck", "autosave", "asd", "wbk", "xlk", "xar", "new", "dpkg-old"),
        *("!sync", "!ut", "bts", "aria2", "lftp-pget-status", "wget-tmp", "synctmp"),
        *("icloud", "nfstmp", "in_progress", "inprogress", "incomplete", "unfinished"),
    )
)
_CONFLICT = re.compile(
    r"""
      [\s_-]*[(\[][^()\[\]]*(?:
          conflict(?!\s+of) | conflit | konflikt | conflicto | conflitto | conflito
      )[^()\[\]]*[)\]]                               # Dropbox, Nextcloud, Seafile ...
    | [._-](?:sync-)?conflict(?:ed)?[._-]?[0-9a-z_-]*(?=\.|$)  # Syncthing, ownCloud
    | [\s._-]conflicted\s+copy\b[^.]*                # the same without brackets
    | (?-i:-(?:DESKTOP|LAPTOP|WIN)-[0-9A-Z]{7,11})(?=\.|$)  # OneDrive
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SYSTEM = re.compile(
    r"""
      @.*                                 # Synology, QNAP: @eaDir, @Recycle
    | .*@syno[a-z]+                       # Synology
    | \#(?:recycle|snapshot)              # Synology
    | \$recycle\.bin | recycler | recycled | system[ ]volume[ ]information
    | found\.[0-9]{3} | desktop\.ini | (?:eh)?thumbs(?:_vista)?\.db   # Windows
    | lost\+found | ~snapshot             # Linux, NetApp
    | icon\r | network[ ]trash[ ]folder | temporary[ ]items | desktop[ ]d[bf]
    | thevolumesettingsfolder | thefindbyfolder                        # macOS
    | \._(?!copying_$).*                  # macOS: attributes of a file
    | \.(?: ds_store | apple(?:double|db|desktop) | apdisk | localized
        | fseventsd | spotlight-v100 | temporaryitems | documentrevisions-v100
        | volumeicon\.icns | com\.apple\..* | pkinstallsandboxmanager.*
        | trash(?:es)? | trash-[0-9]+ | snapshots? | zfs | ckpt | directory
        | nfs[0-9a-f]{8,} | fuse_hidden.* | smbdelete.* | streams | @.*
        | stfolder.* | stversions | stignore | sync | syncignore
        | dropbox | dropbox\.cache | dropbox\.attr
        | owncloudsync\.log.* | nextcloudsync\.log.* | csync_journal\.db.*
        | sync_[0-9a-f]+\.db.* | gitkeep | gitignore | keep | webaxs | bzvol
      )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""What a NAS, a system or a program that synchronises folders makes by itself."""

_ENDING = re.compile(r"\.([^.\s/\\]{1,24})\s*\Z")
_WORD = re.compile(r"[0-9A-Za-z!_~#$%+-]+", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SEPARATORS = re.compile(r"[/\\]")
_MAX_STEM = 60
_MAX_BYTES = 240  # of the 255 that file systems allow, with room for " (2)"
_UNNAMED = "upload"


class UnsafeName(errors.PermanentError):
    """A name may not become part of a path."""


class NameKind(enum.Enum):
    """What a name tells about the file that has it."""

    UPLOAD = "upload"
    """It is taken in, or refused with advice."""
    TEMPORARY = "temporary"
    """A backup, temporary or lock file: a program has made it beside another file."""
    CONFLICT = "conflict"
    """A program that synchronises folders has made it beside another file."""
    HIDDEN = "hidden"
    """It begins with a dot."""
    OTHER = "other"
    """It has an ending that no upload has."""
    SYSTEM = "system"
    """The system has made it by itself: it is passed over without a word."""

    @property
    def is_explained(self) -> bool:
        """Return whether its owner is informed that it is not taken in."""
        return self not in (NameKind.UPLOAD, NameKind.SYSTEM)


def find_kind(name: str) -> NameKind:
    """Return what kind of name `name` is; upper and lower case are the same."""
    if _SYSTEM.fullmatch(name):
        return NameKind.SYSTEM
    if name.startswith("."):
        is_made_by_program = name.endswith(("#", "~")) or _has_temporary_ending(name)
        return NameKind.TEMPORARY if is_made_by_program else NameKind.HIDDEN
    if name.startswith(("~$", "~syncthing~")) or name.rstrip().endswith(("~", "#")):
        return NameKind.TEMPORARY
    if _CONFLICT.search(name):
        return NameKind.CONFLICT
    if _has_temporary_ending(name):
        return NameKind.TEMPORARY
    ending = find_ending(name)
    return NameKind.UPLOAD if ending in {*_TAKEN_ENDINGS, ""} else NameKind.OTHER


def find_ending(name: str) -> str:
    """Return the ending of a name in lower case, without its dot; "" for none.

    A full stop before something else than a word, or before a number, as in a date,
    begins no ending.
    """
    found = _ENDING.search(name)
    if found is None or not _WORD.fullmatch(found[1]) or found[1].isdigit():
        return ""
    return found[1].casefold()


def _has_temporary_ending(name: str) -> bool:
    """Return whether a name ends as a temporary one, or in more than a known ending.

    Tools add random letters, a number or a word to the name of the file that they
    write: `staff.csv.6eF5b5da`, `staff.csv.1`, `staff.csv_old`.
    """
    folded = name.casefold().rstrip()
    stem, _, ending = folded.rpartition(".")
    if stem and (ending in _TEMPORARY_ENDINGS or ending.startswith("~")):
        return True
    if re.fullmatch(r"(?:csv|txt|tsv|xlsx?)[_~#-].*", ending):
        return True
    earlier = stem.rpartition(".")[2] if "." in stem else ""
    is_added = _WORD.fullmatch(ending) and ending not in _TAKEN_ENDINGS
    return bool(is_added) and earlier in (*_TEXTS, "xls", "xlsx")


def check_id(upload_id: str) -> str:
    """Return `upload_id` if it may become part of a path.

    Raises:
        UnsafeName: If it is no upload id.
    """
    if not upload.is_id(upload_id):
        raise UnsafeName("this is no upload id")
    return upload_id


def upload_path(root: Path, upload_id: str) -> Path:
    """Return the path of something of an upload: `root`/its month/its id."""
    return root / check_id(upload_id)[:6] / upload_id


def is_upload(name: str) -> bool:
    """Return whether a file called `name` is taken in."""
    return find_kind(name) is NameKind.UPLOAD


def may_be_upload(name: str) -> bool:
    """Return whether a file called `name` is of interest where no upload is expected.

    Files of the system, backups, and temporary or hidden files are not.
    """
    return find_kind(name) in (NameKind.UPLOAD, NameKind.OTHER)


def make_safe_stem(name: str) -> str:
    """Return `name` without its extension and with `[A-Za-z0-9._-]` only.

    It has at most 60 characters, is never empty and never begins with a dot.
    """
    base = _SEPARATORS.split(name)[-1]
    stem = base.rpartition(".")[0] or base
    return _UNSAFE.sub("_", stem)[:_MAX_STEM].strip("._-") or _UNNAMED


def choose_name(name: str) -> str:
    """Return the name under which to drop a file called `name`.

    It is the last part of a path, short enough to get a number, and is always that of
    a file that is taken in.
    """
    shown = display.escape_hidden(_SEPARATORS.split(name)[-1])
    base = shown.replace("\\", "_").lstrip(".~$@ ")
    stem, dot, end = base.rpartition(".")
    if not dot:
        stem, end = base, ""
    stem, end = _cut(stem, _MAX_BYTES - 20), _cut(end, 16)
    whole = f"{stem or _UNNAMED}.{end}" if end else stem or _UNNAMED
    plain = _CONFLICT.sub("", stem).rstrip(" .~#") or _UNNAMED
    choices = (whole, f"{whole}.csv", f"{plain}.csv")
    return next(filter(is_upload, choices), f"{_UNNAMED}.csv")


def _cut(text: str, length: int) -> str:
    return text.encode("utf-8")[:length].decode("utf-8", "ignore")


def add_number(name: str, number: int) -> str:
    """Return `name` with the number of a file of that name: `staff (2).csv`."""
    if number == 1:
        return name
    stem, dot, end = name.rpartition(".")
    if not dot:
        return f"{name} ({number})"
    return f"{stem} ({number}).{end}"
