from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from jobcore import SYSTEM_TENANT, JobData
from jobcore.errors import InvalidTenantError, PayloadInvalidError, PayloadLimitError, TenantRequiredError
from jobcore.handlers.payload import bind_tenant, dump_payload, parse_payload, validate_payload

TENANT = UUID("01a20555-b0fa-7e9e-a709-b43fa4f79972")


class Line(BaseModel):
    quantity: int
    discount: float | None = 0.1


class Order(JobData):
    client_id: UUID
    lines: list[Line]
    priority: int | None = 5
    note: Any = None


def test_models_speak_camel_case_outside_and_snake_case_inside() -> None:
    order = Order(tenant_id=TENANT, client_id=TENANT, lines=[Line(quantity=2)])
    assert dump_payload(order) == {
        "tenantId": str(TENANT),
        "clientId": str(TENANT),
        "lines": [{"quantity": 2, "discount": 0.1}],
        "priority": 5,
    }
    assert validate_payload("order", Order, dump_payload(order)) == order


def test_a_none_that_somebody_chose_is_not_taken_for_the_default() -> None:
    order = Order(tenant_id=TENANT, client_id=TENANT, lines=[Line(quantity=2, discount=None)], priority=None)
    assert validate_payload("order", Order, dump_payload(order)) == order


@pytest.mark.parametrize("note", [object(), b"\xff"])
def test_a_model_that_cannot_be_written_is_refused_with_our_error(note: Any) -> None:
    with pytest.raises(PayloadLimitError, match="cannot be written as JSON"):
        dump_payload(Order(tenant_id=TENANT, client_id=TENANT, lines=[], note=note))


def test_a_payload_that_is_no_object_is_refused() -> None:
    with pytest.raises(PayloadInvalidError, match="a pydantic model or a mapping, not list"):
        dump_payload([1, 2])


@pytest.mark.parametrize(
    ("document", "argument"),
    [({"tenantId": str(TENANT)}, None), ({"tenant_id": str(TENANT)}, None), ({}, TENANT), ({}, str(TENANT))],
)
def test_the_tenant_comes_from_the_payload_or_the_call(document: dict[str, Any], argument: Any) -> None:
    tenant, bound = bind_tenant(document, argument)
    assert tenant == TENANT
    assert bound == {"tenantId": str(TENANT)}


def test_a_job_without_a_tenant_is_refused_in_the_documents_words() -> None:
    with pytest.raises(TenantRequiredError, match="^tenantId is required in job data$"):
        bind_tenant({"clientId": "x"}, None)


def test_system_is_the_zero_tenant() -> None:
    assert bind_tenant({"tenantId": "system"}, None) == (SYSTEM_TENANT, {"tenantId": "system"})


def test_a_tenant_that_is_no_uuid_is_refused() -> None:
    with pytest.raises(InvalidTenantError, match="a UUID or 'system', not 'acme'"):
        bind_tenant({"tenantId": "acme"}, None)


def test_call_and_payload_must_agree_on_the_tenant() -> None:
    with pytest.raises(PayloadInvalidError, match="another tenant than the call"):
        bind_tenant({"tenantId": str(TENANT)}, uuid4())


def test_each_field_that_does_not_fit_is_named_by_its_path_and_never_by_its_value() -> None:
    with pytest.raises(PayloadInvalidError) as caught:
        validate_payload("order", Order, {"clientId": "s3cret-value", "lines": [{"quantity": 1}, {"quantity": "many"}]})
    assert [problem.path for problem in caught.value.problems] == ["clientId", "lines.1.quantity"]
    assert "s3cret-value" not in str(caught.value)


def test_stored_text_that_no_longer_parses_is_a_clear_error() -> None:
    with pytest.raises(PayloadInvalidError, match="The payload of job 'order' is not valid: clientId: Field required"):
        parse_payload("order", Order, b'{"lines": []}')
    with pytest.raises(PayloadInvalidError, match="Invalid JSON"):
        parse_payload("order", Order, b'{"lines": ')
