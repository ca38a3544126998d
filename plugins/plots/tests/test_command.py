"""`tunesmith report` with a reporter that there is."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tunesmith.cli import cli
from tunesmith.errors import GatesError

STUDY = """
name: small
goals: {loss: minimize}
objective: {use: python, function: "objective:loss"}
executor: inline
space: {parameters: {x: {type: int, low: 1, high: 9}}}
budget: {trials: 3}
gates: [loss < 0]
reporters: [{use: plots, dpi: 50}]
"""


def test_report_writes_again_and_prints_the_page_and_the_gates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(STUDY)
    Path("objective.py").write_text("def loss(params):\n    return params['x']\n")
    assert isinstance(CliRunner().invoke(cli, ["run"]).exception, GatesError)
    page = tmp_path / "reports/small/round-1/index.html"
    page.unlink()
    found = CliRunner().invoke(cli, ["report"])
    assert (found.exit_code, found.stdout) == (0, f"{page}\n")
    assert page.is_file()
    assert "report plots: made" in found.stderr
    assert "gate loss < 0: it does not hold with loss = " in found.stderr
