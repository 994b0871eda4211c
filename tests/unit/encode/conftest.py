"""Lets the tests of this folder find the samples beside it."""

import sys
from pathlib import Path

# The samples beside this file are found in whichever way pytest imports the tests.
sys.path.insert(0, str(Path(__file__).parent))
