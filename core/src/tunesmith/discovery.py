"""Finds the plugins that are installed and checks their hooks; imports nothing of the core's."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

import pluggy

from tunesmith.errors import PluginError, did_you_mean
from tunesmith.hookspecs import Contributions

GROUP = "tunesmith"

T = TypeVar("T")


@cache
def installed_plugins() -> pluggy.PluginManager:
    """All installed plugins, looked for once in a process."""
    return find_plugins(entry_points(group=GROUP))


def find_plugins(found: Iterable[EntryPoint]) -> pluggy.PluginManager:
    """These plugins, imported; one that breaks while loading is left out with a warning.

    Raises PluginError for a hook that does not exist and for one plugin under two names.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Contributions)
    for entry in sorted(found, key=lambda entry: entry.name):
        try:
            module = entry.load()
        except (Exception, SystemExit) as error:  # whatever a third party's import raises
            _leave_out(entry.name, error)
        else:
            _register(manager, module, entry)
    return manager


def contributions(
    manager: pluggy.PluginManager, contribute: Callable[[str, object], T]
) -> Iterator[tuple[str, T]]:
    """What `contribute(name, plugin)` makes of each plugin, by its name.

    A plugin that breaks in it is left out with a warning.
    """
    for name, plugin in manager.list_name_plugin():
        try:
            contributed = contribute(name, plugin)
        except PluginError:
            raise
        except Exception as error:  # whatever a third party's hook raises
            _leave_out(name, error)
        else:
            yield name, contributed


def implementations(
    manager: pluggy.PluginManager, plugin: object, hook: str
) -> list[Callable[..., None]]:
    """The functions with which one plugin implements a hook; at most one, or none."""
    found = getattr(manager.hook, hook).get_hookimpls()
    return [item.function for item in found if item.plugin is plugin]


def _leave_out(name: str, error: BaseException) -> None:
    warnings.warn(f"plugin '{name}' is left out: {type(error).__name__}: {error}", stacklevel=3)


def _register(manager: pluggy.PluginManager, plugin: object, entry: EntryPoint) -> None:
    taken = entry.name if manager.has_plugin(entry.name) else manager.get_name(plugin)
    if taken:
        raise PluginError(
            f"two installed plugins are one: '{taken}' and '{entry.name}' ({entry.value}); "
            "uninstall one of them"
        )
    try:
        manager.register(plugin, entry.name)
    except pluggy.PluginValidationError as error:
        raise PluginError(f"plugin '{entry.name}' does not fit: {error}") from None
    try:
        manager.check_pending()
    except pluggy.PluginValidationError:
        hooks = manager.get_hookcallers(plugin) or []
        known = [hook.name for hook in vars(manager.hook).values() if hook.has_spec()]
        unknown = next(hook.name for hook in hooks if not hook.has_spec())
        raise PluginError(
            f"plugin '{entry.name}' has a hook '{unknown}', which does not exist"
            f"{did_you_mean(unknown, known)}"
        ) from None
