import pytest

from tunesmith.testing.advisors import AdvisorContract
from tunesmith_agent.statistical import Statistical

pytestmark = pytest.mark.slow


class TestStatistical(AdvisorContract):
    def make(self) -> Statistical:
        return Statistical()
