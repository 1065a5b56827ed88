"""What a row is on one side, it is on the other."""

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rpc_for_tests import FILE, get_parcels, parcels

from chassis.rpc import Method
from chassis.rpc.codec import Unfit

FULL = {
    "parcel_id": "0b8f0e5c-8f0e-4c5f-9d0e-0c5f7ad0a6d1",
    "version": 2**53 - 1,
    "status": "on_its_way",
    "weight": 0.0,
    "fragile": False,
    "pieces": 0,
    "sent_at": "2026-01-15T09:30:00.000001Z",
    "items": [{"sku": "", "quantity": 2, "colour": None}, {"sku": "B", "quantity": -1, "colour": ""}],
    "notes": [],
    "history": ["sent", "on_its_way"],
    "value": {"amount": "19.90", "currency": "EUR"},
}
EMPTY: dict[str, Any] = {**dict.fromkeys(FULL), "version": 1, "items": [], "history": []}


@pytest.fixture(scope="module")
def method(tmp_path_factory: pytest.TempPathFactory) -> Method:
    return get_parcels(tmp_path_factory.mktemp("contract"))


def through(method: Method, row: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = method.read_response(method.response({"row": row}))["row"]
    return answer


@pytest.mark.parametrize("row", [FULL, EMPTY])
def test_a_row_arrives_as_it_left(method: Method, row: dict[str, Any]) -> None:
    arrived = through(method, row)
    assert arrived == row
    assert [type(value) for value in arrived.values()] == [type(value) for value in row.values()]


INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
ITEMS = st.fixed_dictionaries({"sku": st.text(), "quantity": INTEGERS, "colour": st.none() | st.text()})
ROWS = st.fixed_dictionaries(
    {
        "parcel_id": st.none() | st.text(),
        "version": INTEGERS,
        "status": st.sampled_from([None, "sent", "on_its_way"]),
        "weight": st.none() | st.floats(allow_nan=False),
        "fragile": st.none() | st.booleans(),
        "pieces": st.none() | INTEGERS,
        "items": st.lists(ITEMS),
        "notes": st.none() | st.lists(st.text()),
        "history": st.lists(st.sampled_from(["sent", "on_its_way"])),
        "sent_at": st.none() | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
        "value": st.none() | st.fixed_dictionaries({"amount": st.text(), "currency": st.text()}),
    }
)


@given(ROWS)
def test_any_row_arrives_as_it_left(method: Method, row: dict[str, Any]) -> None:
    assert through(method, row) == row


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        ("2026-01-15T11:30:00+02:00", "2026-01-15T09:30:00Z"),
        ("2026-01-15T09:30:00", "2026-01-15T09:30:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
    ],
)
def test_a_time_is_the_same_instant(method: Method, given: str, arrives: str) -> None:
    assert through(method, {"sent_at": given})["sent_at"] == arrives


@pytest.mark.parametrize(
    "row",
    [
        {"pieces": "two"},
        {"pieces": 2**64},
        {"weight": "heavy"},
        {"fragile": "no"},
        {"status": "eaten"},
        {"sent_at": "yesterday"},
        {"sent_at": 7},
        {"items": [{"sku": 7}]},
        {"items": "AB"},
        {"items": [["sku"]]},
        {"notes": [None]},
        {"parcel_id": "\ud800"},
    ],
)
def test_what_the_contract_has_no_place_for_is_unfit(method: Method, row: dict[str, Any]) -> None:
    with pytest.raises(Unfit, match=next(iter(row))):
        through(method, row)


def test_a_column_that_was_promised_to_nobody_stays_behind_and_is_told_once(
    method: Method, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert "seal" not in through(method, {**FULL, "seal": "red"})
    assert [getattr(record, "name_of_field", "") for record in caplog.records] == ["seal"]


@pytest.mark.parametrize("data", [b"\xff\xff", b"\x0a\x05x"])
def test_bytes_that_are_no_message(method: Method, data: bytes) -> None:
    with pytest.raises(Unfit):
        method.read_response(data)


def test_a_time_that_no_calendar_has(method: Method) -> None:
    far = b"\x0a\x0b\x3a\x09\x08\xff\xff\xff\xff\xff\xff\xff\x7f"
    with pytest.raises(Unfit):
        method.read_response(far)


def test_a_newer_peer_says_more_than_is_understood(tmp_path: Path, method: Method) -> None:
    newer = copy.deepcopy(FILE)
    row = newer["messageType"][2]
    row["enumType"][0]["value"].append({"name": "STATUS_LOST", "number": 7})
    row["field"].append({**row["field"][1], "name": "insured", "jsonName": "insured", "number": 20})
    said = (
        parcels(tmp_path, newer)
        .method("GetParcels")
        .response({"row": {"parcel_id": "p", "status": "lost", "insured": 1}})
    )
    understood = method.read_response(said)["row"]
    assert (understood["parcel_id"], understood["status"]) == ("p", None)
    assert "insured" not in understood


def test_methods_know_their_path_and_whether_they_may_be_repeated(tmp_path: Path) -> None:
    contract = parcels(tmp_path)
    assert contract.name == "post.parcels.v1.ParcelsService"
    assert contract.method("GetParcels").path == "/post.parcels.v1.ParcelsService/GetParcels"
    assert contract.method("GetParcels").repeatable
    assert not contract.method("SendParcel").repeatable
    with pytest.raises(KeyError):
        contract.method("EatParcel")
