"""How figures are put into words, wherever they are shown."""


def chance(probability: float) -> str:
    """A probability in per cent, never 0 or 100, which no sample can show."""
    if probability < 0.01:
        return "less than 1%"
    return "more than 99%" if probability > 0.99 else f"{probability:.0%}"
