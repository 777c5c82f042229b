"""Handlers: how a function becomes a job, and where a job's name finds its function."""

from jobcore.handlers.definition import HandlerDefinition, job
from jobcore.handlers.payload import JobData
from jobcore.handlers.registry import JobHandlerRegistry

__all__ = ["HandlerDefinition", "JobData", "JobHandlerRegistry", "job"]
