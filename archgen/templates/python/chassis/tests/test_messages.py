import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.messages import KEY_LENGTH, Malformed, Message, derived_id

FULL = Message(
    id="m1",
    type="shop.order.created.v1",
    source="/shop/orders",
    subject="o1",
    data={"amount": {"amount": "19.99", "currency": "EUR"}, "n": None},
    time="2026-01-02T03:04:05+00:00",
    trace="00-1-2-01",
    correlation_id="c",
    causation_id="k",
    version=3,
    saga="place_order",
    saga_id="s1",
    saga_step="0.payments.charge",
    saga_phase="undo",
    reply_to="shop.reply.orders",
    saga_data={"order_id": "o1"},
)


def test_it_is_a_cloudevent_with_lower_case_extensions() -> None:
    assert json.loads(FULL.to_json()) == {
        "specversion": "1.0",
        "id": "m1",
        "type": "shop.order.created.v1",
        "source": "/shop/orders",
        "subject": "o1",
        "time": "2026-01-02T03:04:05+00:00",
        "datacontenttype": "application/json",
        "traceparent": "00-1-2-01",
        "correlationid": "c",
        "causationid": "k",
        "aggregateversion": 3,
        "saga": "place_order",
        "sagaid": "s1",
        "sagastep": "0.payments.charge",
        "sagaphase": "undo",
        "replyto": "shop.reply.orders",
        "sagadata": '{"order_id":"o1"}',
        "data": {"amount": {"amount": "19.99", "currency": "EUR"}, "n": None},
    }


def test_what_has_no_value_is_left_out() -> None:
    bare = Message("m1", "t", "/s", "", {})
    assert set(json.loads(bare.to_json())) == {
        "specversion", "id", "type", "source", "subject", "time", "datacontenttype", "data"
    }  # fmt: skip


def test_read_back_it_is_the_same() -> None:
    assert Message.from_json(FULL.to_json()) == FULL
    assert Message.from_json(FULL.to_json().encode(), "shop.x").address == "shop.x"


def test_attributes_of_others_are_passed_over() -> None:
    envelope = json.loads(FULL.to_json()) | {"partitionkey": "p", "dataschema": "https://x"}
    assert Message.from_json(json.dumps(envelope)) == FULL


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": None}, "specversion"),
        ({"id": ""}, "'id'"),
        ({"id": 5}, "'id'"),
        ({"type": None}, "'type'"),
        ({"source": []}, "'source'"),
        ({"data": []}, "data is not an object"),
        ({"data": None}, "data is not an object"),
        ({"aggregateversion": "3"}, "aggregateversion"),
        ({"sagaid": 1}, "sagaid"),
        ({"sagadata": "{"}, "sagadata is not JSON"),
        ({"sagadata": "[]"}, "sagadata is not a JSON object"),
        ({"sagadata": {}}, "sagadata is not a JSON object"),
        ({"id": "x" * (KEY_LENGTH + 1)}, "'id' is longer"),
        ({"id": "a\x00b"}, "'id' is longer than 255 characters or holds a NUL"),
        ({"subject": "\x00"}, "'subject'"),
        ({"sagaid": "x" * 9999}, "'sagaid'"),
        ({"sagastep": "x" * 9999}, "'sagastep'"),
    ],
)
def test_what_does_not_fit_is_malformed_and_says_why(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        Message.from_json(json.dumps(json.loads(FULL.to_json()) | change))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b'"x"', b"{", b'{"id":"\\ud800"}'])
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        Message.from_json(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_message_or_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        Message.from_json(body)


@given(st.sampled_from(sorted(json.loads(FULL.to_json()))), JSON)
def test_any_value_of_an_attribute_is_taken_or_malformed(attribute: str, value: Any) -> None:
    envelope = json.loads(FULL.to_json()) | {attribute: value}
    try:
        message = Message.from_json(json.dumps(envelope))
    except Malformed:
        return
    assert isinstance(message.to_json(), str)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(text.filter(bool), text, text, st.integers(0, 2**31), st.dictionaries(text, text))
def test_every_message_survives_the_wire(id: str, subject: str, step: str, version: int, data: Any) -> None:
    message = Message(id, "t", "/s", subject, data, version=version, saga_step=step, saga_data=data)
    assert Message.from_json(message.to_json()) == message


def test_derived_ids_tell_their_parts_apart() -> None:
    assert derived_id("a", "b") == derived_id("a", "b")
    assert derived_id("ab") != derived_id("a", "b") != derived_id("b", "a")
    assert derived_id("a", 1) == derived_id("a", "1")
