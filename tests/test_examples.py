"""The examples on real data end with reports, and with a model that met its gates."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
REPORTERS = {"plots", "evidently", "explain", "deepchecks"}


@pytest.fixture
def folder(tmp_path: Path, empty_mlflow: Path) -> Path:
    shutil.copytree(ROOT / "examples" / "05_reports", tmp_path, dirs_exist_ok=True)
    shutil.copy(empty_mlflow, tmp_path / "mlflow.db")
    return tmp_path


def run(*command: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("study", ["tumours", "diabetes", "cars"])
def test_real_data_is_tuned_reported_and_its_model_promoted(study: str, folder: Path) -> None:
    if study == "cars":
        run("make_data.py", folder=folder)
    told = run("-m", "tunesmith", "run", f"{study}.yaml", folder=folder)
    assert {f"report {name}: made" in told for name in REPORTERS} == {True}, told
    assert "failed:" not in told and "gate" in told
    round_folder = folder / "reports" / study / "round-1"
    page = (round_folder / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', page)
    assert {link.partition("/")[0] for link in links} == REPORTERS
    assert all((round_folder / link).is_file() for link in links)
    assert "Broke on this data" not in page and 'class="bad"' not in page
    known = run("-m", "tunesmith", "promote", f"{study}.yaml", folder=folder)
    assert known == "the model of round 1 is the champion\n"
