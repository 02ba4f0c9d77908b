"""Python's texts as a column of Arrow's, which is how pandas holds strings.

Only that step, and the memory it takes; what the texts say is everyone else's.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

KIND = pa.large_string()
"""What pandas holds strings as, so that nothing is copied on the way there and back."""


def column(texts: Sequence[str]) -> pa.LargeStringArray:
    """Return `texts` as a column of `KIND`, each of them encoded once.

    `pa.array` leaves what it has encoded beside each text that is not ASCII for as
    long as the text lives, and makes a column by doubling it.
    """
    together = "".join(texts)
    parts: Sequence[str | bytes] = texts
    if together.isascii():
        data = together.encode("ascii")
    else:
        parts = encoded = [text.encode() for text in texts]
        data = b"".join(encoded)
    ends = np.zeros(len(parts) + 1, dtype="int64")
    np.cumsum([len(part) for part in parts], out=ends[1:])
    buffers = pa.py_buffer(ends), pa.py_buffer(data)
    return pa.LargeStringArray.from_buffers(len(parts), *buffers)
