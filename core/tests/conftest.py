import sys
from pathlib import Path

# helpers beside the tests, also for the worker processes
sys.path.append(str(Path(__file__).parent))

from databases import new_postgresql, new_url, store, url  # noqa: F401 - fixtures
