"""How what Temporal keeps is written: as JSON that anybody there may read, or by a codec of the user's own."""

from __future__ import annotations

from importlib import import_module

from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from jobcore.errors import ConfigurationError


def data_converter(target: str | None) -> DataConverter:
    """Return the converter that writes by the codec at `target` (`module:name`), or plainly if there is none.

    With a codec, messages and traces of failures are written by it too: they may quote what the payload says.

    Raises:
        ConfigurationError: if the codec cannot be had, or is none.
    """
    if target is None:
        return DataConverter.default
    return DataConverter(
        payload_codec=_load(target), failure_converter_class=DefaultFailureConverterWithEncodedAttributes
    )


def _load(target: str) -> PayloadCodec:
    module, _, name = target.partition(":")
    try:
        found = getattr(import_module(module), name)
        codec = found() if callable(found) else found
    except Exception as error:  # whatever the user's code raises, such as a KeyError for a key that is not set
        reason = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"temporal.payload_codec names {target!r}, which cannot be had: {reason}") from error
    if not isinstance(codec, PayloadCodec):
        raise ConfigurationError(
            f"temporal.payload_codec names {target!r}, which is no temporalio.converter.PayloadCodec, nor makes one: "
            "name such a class, a function without arguments that returns one, or the codec itself."
        )
    return codec
