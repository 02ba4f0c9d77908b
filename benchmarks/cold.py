"""One upload through the core in a cold process, which starts and ends as `cvms` does.

python -m benchmarks.cold FILE

to the store that `PEER_DATABASE_URL` names.
"""

import atexit
import gc


def main() -> None:
    """Upload the file that the command line names."""
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    from benchmarks import uploading

    uploading.main()


if __name__ == "__main__":
    main()
