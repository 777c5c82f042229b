"""Access tokens by OAuth 2.0 (RFC 6749): from a provider's refresh token, or as the application itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from jobcore.errors import ConfigurationError
from jobcore.ports.context import TenantDatabase
from jobcore_handlers.calendars.api import ServiceApi
from jobcore_handlers.calendars.errors import GrantError, ServiceRefusedError, ServiceThrottledError
from jobcore_handlers.calendars.settings import ServiceSettings
from jobcore_handlers.calendars.tokens import AccessTokens, ProviderKey, ProviderType
from jobcore_handlers.calendars.vault import TokenVault
from jobcore_handlers.calendars.wire import parse_answer
from jobcore_handlers.statements import Statements

_MANY_DIRECTORIES = frozenset({"common", "organizations", "consumers"})
"""Entra's names for whichever directory a person is of; an application by itself is of one."""


class _Tokens(BaseModel):
    access_token: str = Field(min_length=1, max_length=20_000)
    refresh_token: str | None = Field(default=None, max_length=20_000)


@dataclass(frozen=True, slots=True)
class _Grant:
    directory: str
    sealed_refresh_token: bytes | None


class OAuthTokens(AccessTokens):
    """Asks the service's token endpoint each time, so that a token that was revoked is not used again.

    Args:
        services: how each service is reached.
        endpoints: the token endpoint of each.
        vault: what the refresh tokens are sealed with; without one there is only the application's own access.
    """

    def __init__(
        self,
        services: dict[ProviderType, ServiceSettings],
        endpoints: dict[ProviderType, ServiceApi],
        vault: TokenVault | None,
    ) -> None:
        self._services = services
        self._endpoints = endpoints
        self._vault = vault

    async def bearer(self, provider: ProviderKey, db: TenantDatabase) -> str:
        application = self._application(provider)
        grant = await _load(provider, db)
        given = None if grant.sealed_refresh_token is None else self._open(provider, grant.sealed_refresh_token)
        tokens = await self._ask(provider, grant.directory, application | _request(provider, grant, given))
        if tokens.refresh_token is not None and given is not None and tokens.refresh_token != given:
            await self._keep(provider, tokens.refresh_token, db, before=grant.sealed_refresh_token)
        return tokens.access_token

    async def keep(self, provider: ProviderKey, refresh_token: str, db: TenantDatabase) -> None:
        """Store a provider's refresh token, encrypted. Raises `ConfigurationError` without a key."""
        await self._keep(provider, refresh_token, db, before=None)

    async def _keep(
        self, provider: ProviderKey, refresh_token: str, db: TenantDatabase, *, before: bytes | None
    ) -> None:
        sealed = self._vault_or_refuse().seal(provider, refresh_token)
        async with db.transaction() as connection:
            await Statements("calendars", connection).run(
                f"keep_{provider.provider_type}_token",
                tenant=provider.tenant,
                provider=provider.provider_id,
                sealed=sealed,
                before=before,
            )

    async def _ask(self, provider: ProviderKey, directory: str, form: dict[str, str]) -> _Tokens:
        endpoint = self._endpoints[provider.provider_type]
        try:
            answer: Any = await endpoint.call("POST", endpoint.url.replace("{directory}", directory), form=form)
        except ServiceThrottledError:
            raise  # it passes by itself
        except ServiceRefusedError as error:
            raise GrantError(f"{error} Connect the calendar again, or check the application's registration.") from error
        return parse_answer(endpoint.name, _Tokens, answer)

    def _application(self, provider: ProviderKey) -> dict[str, str]:
        kind = provider.provider_type
        settings = self._services[kind]
        if settings.client_id is None or settings.client_secret is None:
            prefix = f"JOBCORE_BUILTIN__CALENDARS__{kind.upper()}"
            raise ConfigurationError(
                f"Calendars of type {kind} need a registered application: set {prefix}__CLIENT_ID and "
                f"{prefix}__CLIENT_SECRET, or offer AccessTokens of your own."
            )
        return {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}

    def _open(self, provider: ProviderKey, sealed: bytes) -> str:
        return self._vault_or_refuse().open(provider, sealed)

    def _vault_or_refuse(self) -> TokenVault:
        if self._vault is None:
            raise ConfigurationError(
                "Refresh tokens are encrypted, and no key is configured: set JOBCORE_BUILTIN__CALENDARS__KEY "
                "(openssl rand -base64 32)."
            )
        return self._vault


async def _load(provider: ProviderKey, db: TenantDatabase) -> _Grant:
    async with db.transaction() as connection:
        grant = await Statements("calendars", connection).first(
            f"get_{provider.provider_type}_grant", _Grant, tenant=provider.tenant, provider=provider.provider_id
        )
    if grant is None:
        raise GrantError(f"Calendar provider {provider.provider_id} has no configuration any more.")
    return grant


def _request(provider: ProviderKey, grant: _Grant, refresh_token: str | None) -> dict[str, str]:
    if refresh_token is not None:
        return {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if provider.provider_type == "microsoft" and grant.directory not in _MANY_DIRECTORIES:
        return {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
    raise GrantError(f"Calendar provider {provider.provider_id} has no refresh token. Connect the calendar again.")
