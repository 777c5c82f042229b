"""J10, J11: keep the subscriptions alive through which outside calendars tell us of their changes."""

from jobcore_handlers.calendars.tokens import AccessTokens, ProviderKey

__all__ = ["AccessTokens", "ProviderKey"]
