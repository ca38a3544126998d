import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

# helpers beside the tests, also for the worker processes
sys.path.append(str(Path(__file__).parent))

from databases import new_postgresql, new_url, store, url  # noqa: F401 - fixtures


@pytest.fixture
def first_counterexample() -> Iterator[None]:
    """Any generated example that fails will do: none is made smaller, which takes seconds."""
    before = settings.get_current_profile_name()
    settings.register_profile("first", phases=[Phase.explicit, Phase.generate])
    settings.load_profile("first")
    yield
    settings.load_profile(before)
