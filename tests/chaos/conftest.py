"""Lets the tests of the model import it from the project folder, as the command."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
