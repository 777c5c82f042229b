"""Finds job definitions in an application's modules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from traceback import extract_tb
from types import ModuleType

from jobcore.errors import ConfigurationError, JobcoreError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.registry import AnyHandler


def load_definitions(module: str) -> list[AnyHandler]:
    """Import a module by its dotted name and return its definitions.

    Raises:
        ConfigurationError: if it cannot be imported, whatever it raises meanwhile, or defines no job.
    """
    try:
        loaded = import_module(module)
    except JobcoreError:
        raise
    except ImportError as error:
        raise ConfigurationError(
            f"The handlers' module {module!r} cannot be imported: {error}. Check the setting 'handlers', "
            "and that the module is installed or on PYTHONPATH."
        ) from error
    except Exception as error:
        raise ConfigurationError(
            f"The handlers' module {module!r} raised {type(error).__name__} while it was imported: {error} "
            f"({_where(error)}). Mend it; --debug shows the traceback."
        ) from error
    definitions = list(definitions_of(loaded))
    if not definitions:
        raise ConfigurationError(f"The handlers' module {module!r} defines no job; write @job(...) above a function.")
    return definitions


def _where(error: Exception) -> str:
    """Return the file and line that raised, or that cannot be parsed."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    last = extract_tb(error.__traceback__)[-1]
    return f"{last.filename}, line {last.lineno}"


def definitions_of(module: ModuleType) -> Iterator[AnyHandler]:
    """Yield the definitions among a module's attributes, each once."""
    seen: set[int] = set()
    for value in vars(module).values():
        if isinstance(value, HandlerDefinition) and id(value) not in seen:  # pyright: ignore[reportUnknownArgumentType] - only its identity is used
            seen.add(id(value))  # pyright: ignore[reportUnknownArgumentType]
            yield value
