"""The modules that hold rows take their memory where it can be given back."""

import pyarrow as pa
import sheets


def test_arrow_takes_memory_from_the_system():
    held = sheets.read(sheets.below_header(sheets.row()))

    assert pa.default_memory_pool().backend_name == "system"
    assert pa.default_memory_pool().bytes_allocated() > 0
    assert len(held.cells) == 1
