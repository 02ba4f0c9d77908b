"""The model's own tests import it as the command line does: from the project folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
