"""The schema of a payload, and which of its changes break what was enqueued before."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, create_model

from jobcore import JobContext, JobData, job
from jobcore.handlers.schemas import compare_schemas, schema_of

SMALL = "fits: (payload): differs in its limits, its defaults or its descriptions"


class Line(BaseModel):
    item: str
    count: int = 1


class LineWithPrice(BaseModel):
    item: str
    price: float


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


class OtherTree(BaseModel):
    name: str
    children: list["OtherTree"] = []
    depth: int


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


def model(**fields: Any) -> Any:
    return create_model("Payload", **fields)


def told(old: Any, new: Any) -> list[str]:
    changes = compare_schemas(TypeAdapter(old).json_schema(), TypeAdapter(new).json_schema())
    return [f"{'breaks' if change.breaks else 'fits'}: {change}" for change in changes]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": (str, ...)}, {"a": (str, ...)}, []),
        ({"a": (str, ...)}, {"a": (str, ...), "b": (int, 1)}, ["fits: b: is new"]),
        ({"a": (str, ...)}, {"a": (str, ...), "b": (int, ...)}, ["breaks: b: is new and required"]),
        ({"a": (str, "x")}, {"a": (str, ...)}, ["breaks: a: is required now"]),
        ({"a": (str, ...)}, {"a": (str, "x")}, [SMALL]),
        ({"a": (str, ...), "b": (int, 1)}, {"a": (str, ...)}, ["fits: b: is gone"]),
        ({"a": (int, ...)}, {"a": (str, ...)}, ["breaks: a: took integer, and takes string"]),
        ({"a": (int, ...)}, {"a": (float, ...)}, ["fits: a: took integer, and takes number"]),
        ({"a": (float, ...)}, {"a": (int, ...)}, ["breaks: a: took number, and takes integer"]),
        ({"a": (int, ...)}, {"a": (int | None, ...)}, ["fits: a: took integer, and takes integer or null"]),
        ({"a": (int | None, 1)}, {"a": (int, 1)}, ["breaks: a: took integer or null, and takes integer"]),
        ({"a": (str, ...)}, {"a": (Any, ...)}, ["fits: a: took string, and takes anything"]),
        ({"a": (Any, ...)}, {"a": (str, ...)}, ["breaks: a: took anything, and takes string"]),
        ({"a": (str, ...)}, {"a": (Size, ...)}, ["breaks: a: takes only 'l' or 's'"]),
        ({"a": (Size, ...)}, {"a": (Literal["s"], ...)}, ["breaks: a: takes 'l' no more"]),
        ({"a": (Literal["s"], ...)}, {"a": (Size | None, ...)}, ["fits: a: took string, and takes null or string"]),
        ({"a": (Size, ...)}, {"a": (str, ...)}, [SMALL]),
        ({"a": (Annotated[str, Field(max_length=9)], ...)}, {"a": (Annotated[str, Field(max_length=5)], ...)},
         [SMALL]),
        ({"a": (list[int], ...)}, {"a": (list[str], ...)}, ["breaks: a[]: took integer, and takes string"]),
        ({"a": (dict[str, int], ...)}, {"a": (dict[str, str], ...)}, ["breaks: a.*: took integer, and takes string"]),
        ({"a": (list[Line], ...)}, {"a": (list[LineWithPrice], ...)},
         ["breaks: a[].price: is new and required", "fits: a[].count: is gone"]),
        ({"a": (Line | None, None)}, {"a": (LineWithPrice | None, None)},
         ["breaks: a.price: is new and required", "fits: a.count: is gone"]),
        ({"a": (Tree, ...)}, {"a": (OtherTree, ...)},
         ["breaks: a.children[].depth: is new and required", "breaks: a.depth: is new and required"]),
    ],
)  # fmt: skip
def test_a_change_is_told_by_its_path_and_by_what_it_breaks(old: Any, new: Any, expected: list[str]) -> None:
    assert told(model(**old), model(**new)) == expected


def test_a_field_that_is_gone_breaks_where_others_are_refused() -> None:
    class Open(BaseModel, extra="forbid"):
        a: int
        b: int = 1

    class Closed(BaseModel, extra="forbid"):
        a: int

    assert told(Open, Closed) == ["breaks: b: is refused now"]


def test_a_handlers_schema_names_the_fields_as_they_are_stored() -> None:
    class Mail(JobData):
        reply_to: str

    @job("mail", version=4)
    async def mail(ctx: JobContext, data: Mail) -> None: ...

    schema = schema_of(mail)
    assert schema is not None
    assert (schema.handler, schema.version) == ("mail", 4)
    assert schema.schema["required"] == ["replyTo"]


class NoSchema:
    pass


@pytest.mark.parametrize("annotation", [Callable[[], int], NoSchema])
def test_a_type_without_a_schema_has_none(annotation: Any) -> None:
    class Odd(BaseModel, arbitrary_types_allowed=True):
        value: annotation

    @job("odd")
    async def odd(ctx: JobContext, data: Odd) -> None: ...

    assert schema_of(odd) is None
