"""The founding documents' registration of all handlers (H03, H04, H06), for the application and for its workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jobcore.app import assembly, logs
from jobcore.app.facade import JobApp
from jobcore.errors import ConfigurationError
from jobcore.handlers.registry import JobHandlerRegistry
from jobcore.settings import Edition, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerInfo:
    """One line of `get_available_job_handlers` (H04)."""

    name: str
    description: str
    edition: str
    source: str
    """The distribution that brings it, with its version; empty for the application's own."""
    max_attempts: int
    timeout: timedelta


def register_all_job_handlers(
    target: JobApp | JobHandlerRegistry,
    options: Mapping[str, Any] | None = None,
    *,
    job_service: Any = None,
    storage_service: Any = None,
    include_enterprise: bool | None = None,
    force: bool = False,
) -> list[str]:
    """Register the handlers of every installed plugin, and return all names that are registered then.

    Args:
        target: an application, or a registry of its own.
        options: the arguments below as a mapping, as the documents write them.
        job_service: found by handlers under its type in `ctx.services`.
        storage_service: likewise.
        include_enterprise: whether to take handlers of the Enterprise Edition; by default the settings' edition says.
        force: replace handlers of the same name that are registered already, instead of keeping them.

    Raises:
        ConfigurationError: if services are given to a registry, which has nowhere to keep them.
    """
    if options:
        return register_all_job_handlers(target, **options)
    registry = target.registry if isinstance(target, JobApp) else target
    _add_services(target, [service for service in (job_service, storage_service) if service is not None])
    settings = _with_edition(target.settings if isinstance(target, JobApp) else Settings.load(), include_enterprise)
    offered = assembly.load_plugins(settings, assembly.Given(), (), required=False).handlers
    for handler in offered:
        if force or handler.name not in registry:
            registry.register(handler, force=force, source=offered.source_of(handler.name))
    return registry.get_registered_names()


def get_available_job_handlers(target: JobApp | JobHandlerRegistry) -> list[HandlerInfo]:
    """List what is registered, by name, for people (H04)."""
    registry = target.registry if isinstance(target, JobApp) else target
    return [
        HandlerInfo(
            name=handler.name,
            description=handler.description,
            edition=handler.edition,
            source=registry.source_of(handler.name),
            max_attempts=handler.retry.max_attempts,
            timeout=handler.timeout,
        )
        for handler in registry
    ]


def initialize_job_handlers_for_worker(target: JobApp | JobHandlerRegistry, **options: Any) -> list[str]:
    """Register all handlers at a worker's start, log their names, and return them (H06, F19)."""
    names = register_all_job_handlers(target, **options)
    logs.handlers_registered(names)
    return names


def _add_services(target: JobApp | JobHandlerRegistry, services: list[Any]) -> None:
    if services and not isinstance(target, JobApp):
        raise ConfigurationError("job_service and storage_service need an application to keep them: pass the JobApp.")
    if isinstance(target, JobApp):
        for service in services:
            target.services.add(service)


def _with_edition(settings: Settings, include_enterprise: bool | None) -> Settings:
    if include_enterprise is None:
        return settings
    edition = Edition.ENTERPRISE if include_enterprise else Edition.COMMUNITY
    return settings.model_copy(update={"edition": edition})
