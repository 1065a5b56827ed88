"""A contract for tests, as archgen would write it for a view of parcels."""

import json
from pathlib import Path
from typing import Any

from chassis.rpc import Contract, Method, contract

PACKAGE = "post.parcels.v1"


def _field(name: str, number: int, type: str, **more: Any) -> dict[str, Any]:
    described = {"name": name, "number": number, "label": "LABEL_OPTIONAL", "jsonName": name}
    if type.startswith("."):
        kind = "TYPE_ENUM" if type.endswith("Status") else "TYPE_MESSAGE"
        return described | {"type": kind, "typeName": f".{PACKAGE}{type}"} | more
    return described | {"type": f"TYPE_{type}"} | more


def _present(index: int) -> dict[str, Any]:
    return {"proto3Optional": True, "oneofIndex": index}


MANY = {"label": "LABEL_REPEATED"}
ROW = [
    _field("parcel_id", 1, "STRING", **_present(0)),
    _field("version", 2, "INT64"),
    _field("status", 3, ".ParcelsRow.Status", **_present(1)),
    _field("weight", 4, "DOUBLE", **_present(2)),
    _field("fragile", 5, "BOOL", **_present(3)),
    _field("pieces", 6, "INT64", **_present(4)),
    _field("sent_at", 7, ".x") | {"typeName": ".google.protobuf.Timestamp"},
    _field("items", 8, ".Item", **MANY),
    _field("notes", 9, ".ParcelsRow.NotesList"),
    _field("history", 10, ".ParcelsRow.Status", **MANY),
    _field("value", 11, ".Money"),
]
STATUS = ["STATUS_UNSPECIFIED", "STATUS_SENT", "STATUS_ON_ITS_WAY"]
FILE: dict[str, Any] = {
    "name": "post/parcels/v1/parcels.proto",
    "package": PACKAGE,
    "dependency": ["google/protobuf/timestamp.proto"],
    "syntax": "proto3",
    "messageType": [
        {
            "name": "GetParcelsRequest",
            "field": [_field("parcel_id", 1, "STRING"), _field("min_version", 2, "INT64")],
        },
        {"name": "GetParcelsResponse", "field": [_field("row", 1, ".ParcelsRow")]},
        {
            "name": "ParcelsRow",
            "field": ROW,
            "oneofDecl": [
                {"name": f"_{name}"} for name in ("parcel_id", "status", "weight", "fragile", "pieces")
            ],
            "nestedType": [{"name": "NotesList", "field": [_field("values", 1, "STRING", **MANY)]}],
            "enumType": [
                {"name": "Status", "value": [{"name": n, "number": i} for i, n in enumerate(STATUS)]}
            ],
        },
        {
            "name": "Item",
            "field": [
                _field("sku", 1, "STRING"),
                _field("quantity", 2, "INT64"),
                _field("colour", 3, "STRING", **_present(0)),
            ],
            "oneofDecl": [{"name": "_colour"}],
        },
        {"name": "Money", "field": [_field("amount", 1, "STRING"), _field("currency", 2, "STRING")]},
    ],
    "service": [
        {
            "name": "ParcelsService",
            "method": [
                {
                    "name": "GetParcels",
                    "inputType": f".{PACKAGE}.GetParcelsRequest",
                    "outputType": f".{PACKAGE}.GetParcelsResponse",
                    "options": {"idempotencyLevel": "NO_SIDE_EFFECTS"},
                },
                {
                    "name": "SendParcel",
                    "inputType": f".{PACKAGE}.GetParcelsRequest",
                    "outputType": f".{PACKAGE}.GetParcelsResponse",
                },
            ],
        }
    ],
}


def parcels(folder: Path, file: dict[str, Any] = FILE) -> Contract:
    path = folder / "parcels.json"
    path.write_text(json.dumps(file), "utf-8")
    return contract(path)


def get_parcels(folder: Path) -> Method:
    return parcels(folder).method("GetParcels")
