"""The plugin passes the contract."""

from tunesmith.testing import PluginContract


class TestPlugin(PluginContract):
    module = "tunesmith_dvc"
    options = {"dvc": {"path": "data/train.csv", "target": "y"}}  # noqa: RUF012
