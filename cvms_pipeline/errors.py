"""The error tree: one root, and in the type whether trying again can help.

Here live only the classes that every layer shares; an error that one module
raises is a two-line subclass in that module.  A rejected row is data, never an
exception.  The first line of a class's docstring is its message.
"""


class CvmsError(Exception):
    """Something went wrong in the bulk upload."""

    def __init__(self, message: str = "") -> None:
        """Take ``message``, or say the first line of the class's docstring."""
        super().__init__(message or (self.__doc__ or "").strip().partition("\n")[0])


class TransientError(CvmsError):
    """Something outside is away for the moment; trying again can help."""


class PermanentError(CvmsError):
    """Something is wrong that trying again will not mend."""
