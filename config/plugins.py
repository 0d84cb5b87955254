"""Finds plugins and channels: installed ones by their entry points, the operator's own plugins in folders.

Anybody's package can bring some: it declares an entry point of the group `frontdesk.plugins` that names a `Plugin`, or of
`frontdesk.channels` that names a `Transport`. A folder holds `.py` files and packages, each with a module-level `plugin`;
what begins with an underscore is a helper and is left alone.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from frontdesk.config.extras import missing_extra
from frontdesk.config.settings import DEFAULT_PLUGINS, PluginOptions
from frontdesk.config.words import did_you_mean
from frontdesk.core.channel import Transport
from frontdesk.core.errors import ConfigurationError
from frontdesk.core.plugin import Plugin

PLUGINS = "frontdesk.plugins"
CHANNELS = "frontdesk.channels"


@dataclass(frozen=True, kw_only=True)
class Found:
    """`known` has the names of all plugins, the disabled ones too; None if they could not be found out."""

    plugins: Sequence[Plugin]
    known: Set[str] | None


def find_plugins(options: PluginOptions) -> Found:
    """The enabled plugins in the order in which they are asked: those of `order`, the operator's own, the installed ones.

    Raises `ConfigurationError` with the file and line of a broken plugin.
    """
    makers: list[tuple[str, Callable[[], Plugin]]] = [
        (path.stem, partial(plugin_from_file, path)) for folder in options.folders for path in _files(folder)
    ]
    installed = sorted(entry_points(group=PLUGINS), key=lambda entry: entry.name)
    makers += [(entry.name, partial(_from_entry_point, entry)) for entry in installed]
    plugins: dict[str, Plugin] = {}
    known = {name for name, _ in makers}
    for name, make in makers:
        if name in options.disabled:
            continue
        plugin = make()
        known.add(plugin.name)
        if plugin.name in options.disabled:
            continue
        if plugin.name in plugins:
            raise ConfigurationError(f"two plugins are named {plugin.name!r}: rename one of them")
        if plugin.name in PluginOptions.model_fields:
            raise ConfigurationError(f"a plugin cannot be named {plugin.name!r}, which is a key of the section `plugins`")
        plugins[plugin.name] = plugin
    for key in ("disabled", "order"):
        for name in getattr(options, key):
            if name not in known:
                variable = f"FRONTDESK_PLUGINS__{key.upper()}"
                raise ConfigurationError(f"plugins.{key} ({variable}): there is no plugin {name!r}{did_you_mean(name, known)}")
    first = {name: plugins[name] for name in options.order if name in plugins}
    return Found(plugins=tuple((first | plugins).values()), known=known)


def channel_names() -> list[str]:
    return sorted(entry.name for entry in entry_points(group=CHANNELS))


def find_channel(name: str) -> type[Transport]:
    """Raises `MissingExtra` if the channel needs a package that is not installed, `KeyError` if there is no such channel."""
    for entry in entry_points(group=CHANNELS, name=name):
        channel = _loaded(entry, f"the channel {name}")
        if not (isinstance(channel, type) and issubclass(channel, Transport)):
            raise ConfigurationError(f"the channel {name}: {entry.value} is not a subclass of frontdesk.core.channel.Transport")
        return channel
    raise KeyError(name)


def _from_entry_point(entry: EntryPoint) -> Plugin:
    plugin = _loaded(entry, f"the plugin {entry.name}")
    if not isinstance(plugin, Plugin):
        raise ConfigurationError(f"the plugin {entry.name}: {entry.value} is not a frontdesk.core.plugin.Plugin")
    return plugin


def _loaded(entry: EntryPoint, what: str) -> object:
    try:
        return entry.load()
    except ImportError as error:
        if missing := missing_extra(what, error):
            raise missing from error
        raise ConfigurationError(f"{what} ({entry.value}) cannot be imported: {error}") from error
    except AttributeError as error:
        raise ConfigurationError(f"{what} ({entry.value}) cannot be imported: {error}") from error


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        if folder == DEFAULT_PLUGINS:
            return
        raise ConfigurationError(
            f"plugins.folders (FRONTDESK_PLUGINS__FOLDERS): there is no folder {folder}: make it, or correct the path"
        )
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".", "test_")):
            continue
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            yield path


def plugin_from_file(path: Path) -> Plugin:
    """The plugin of a file or package. Raises `ConfigurationError` with the file and line of what is wrong."""
    module = _imported(path)
    plugin = getattr(module, "plugin", None)
    if not isinstance(plugin, Plugin):
        raise ConfigurationError(
            f'{path}: a plugin file needs `plugin = Plugin("{path.stem}")` at its top level; '
            f"rename a helper to _{path.name} to leave it alone"
        )
    return plugin


def _imported(path: Path) -> ModuleType:
    file = path / "__init__.py" if path.is_dir() else path
    name = f"frontdesk_plugins.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(path)] if path.is_dir() else None)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path}: Python cannot import this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, ImportError) and (missing := missing_extra(f"the plugin {path}", error)):
            raise missing from error
        raise ConfigurationError(f"{_place(error, path)}: {type(error).__name__}: {_first_line(error)}") from error
    return module


def _place(error: Exception, path: Path) -> str:
    """The file and line in the plugin that the error comes from."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    within = [frame for frame in frames if _is_in(frame.filename, path)]
    return f"{within[-1].filename}, line {within[-1].lineno}" if within else str(path)


def _is_in(filename: str, path: Path) -> bool:
    file, place = Path(filename).resolve(), path.resolve()
    return file == place or place in file.parents


def _first_line(error: Exception) -> str:
    words: Iterable[str] = (error.msg if isinstance(error, SyntaxError) else str(error)).splitlines()
    return next(iter(words), "")
