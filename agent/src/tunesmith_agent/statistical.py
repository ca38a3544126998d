"""The statistical advisor: what the trials say about the space, tested before it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.components import Advisor

if TYPE_CHECKING:
    from tunesmith.history import History
    from tunesmith.proposals import Draft


class Statistical(Advisor):
    """Tests every parameter's range, scale and choices against the trials there are."""

    def advise(self, history: History) -> Draft:
        from tunesmith.proposals import Draft

        return Draft()
