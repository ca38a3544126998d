"""Parts of `benchmarks/advisor.py`: the problems, the arms that compete, and the table."""
