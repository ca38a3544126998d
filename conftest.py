"""What the tests of several packages share."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

# before anything reads it, and for all that tests start: where several tests share the cores,
# threads that spin wait for one another, and a fit of a second takes a minute of CPU
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

_MAKE = "import sys, mlflow; mlflow.MlflowClient(sys.argv[1]).search_experiments()"


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its schema, to copy, because MLflow takes seconds to make one.

    It is made once for all workers.
    """
    if importlib.util.find_spec("tunesmith_mlflow") is None:
        pytest.skip("the mlflow plugin is not installed")
    base = tmp_path_factory.getbasetemp()
    path = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "mlflow.db"
    if not path.exists():
        draft = tmp_path_factory.mktemp("draft") / "mlflow.db"
        command = [sys.executable, "-W", "ignore", "-c", _MAKE, f"sqlite:///{draft}"]
        subprocess.run(command, check=True, capture_output=True)
        draft.rename(path)  # at once: another worker may look
    return path


def pytest_itemcollected(item: pytest.Item) -> None:
    """What takes long to load is loaded by one worker, which runs all tests of the plugin."""
    plugin = item.path.parent.parent.name
    if plugin in ("deepchecks", "evidently", "explain"):
        item.add_marker(pytest.mark.xdist_group(plugin))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every", type=int, default=1, metavar="N", help="run each Nth test only")


@pytest.hookimpl(trylast=True)  # of those that other options leave
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = items[:: config.getoption("every")]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
