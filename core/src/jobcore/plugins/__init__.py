"""Plugins: the hooks that they implement, and the manager that finds, checks and loads them."""

from jobcore.plugins.hooks import HOOK_NAMES, PLUGIN_API_VERSION, hookimpl, hookspec

__all__ = ["HOOK_NAMES", "PLUGIN_API_VERSION", "hookimpl", "hookspec"]
