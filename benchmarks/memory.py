"""How much memory a worker needs for one upload after another.

    python -m benchmarks.memory URL ROWS UPLOADS

is a process that has imported what a worker imports, takes that many uploads of that
many rows through the core, and prints its peak in MB.
"""

import resource
import subprocess
import sys
from pathlib import Path

import pyarrow

from benchmarks import sample_rows, uploading
from cvms_pipeline.database import engine

_STATUS = Path("/proc/self/status")
_FIRST_SEED = 900_000_000


def peak_mb(url: str, *, rows: int, uploads: int = 3) -> float:
    """Return the peak of a fresh process that is like a worker, in MB."""
    command = [sys.executable, "-m", "benchmarks.memory", url, str(rows), str(uploads)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(ended.stdout.split()[-1])


def main() -> None:
    """Be that process."""
    import_what_a_worker_imports()
    url, rows, uploads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    store = engine.Store(url)
    for nth in range(uploads):
        data = sample_rows.upload(rows, rejected_percent=10, seed=_FIRST_SEED + nth)
        uploading.register(store, f"memory-{nth}")
        uploading.run(store, f"memory-{nth}", data)
    store.close()
    print(f"{peak_of_this_process():.0f}")


def import_what_a_worker_imports() -> None:
    """Make this process as large as a worker is before its first upload."""
    import celery  # noqa: F401  # a worker has it
    import dagster_celery.tasks  # noqa: F401  # and this

    import cvms_pipeline.definitions  # noqa: F401  # and this

    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # as a worker does


def peak_of_this_process() -> float:
    """Return its peak in MB; not its parent's, which `getrusage` counts too."""
    return _peak_kb() / 1024


def _peak_kb() -> int:
    if _STATUS.exists():
        (line,) = [x for x in _STATUS.read_text().splitlines() if x.startswith("VmHWM")]
        return int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


if __name__ == "__main__":
    main()
