"""A FastAPI handler with one insert and nothing else: what a POST of an order is compared with.

It is written as most people would: a plain function, one transaction on a pooled connection, as durable as
the generated service's (SQLite with synchronous=FULL, PostgreSQL as it comes).
"""

from __future__ import annotations

import os
from decimal import Decimal
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import JSON, Column, MetaData, Table, Text, create_engine, event, insert

metadata = MetaData()
orders = Table("orders", metadata, Column("id", Text, primary_key=True), Column("body", JSON, nullable=False))
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"), pool_size=10)
app = FastAPI()


@event.listens_for(engine, "connect")
def _durable(connection: object, _record: object) -> None:
    if engine.dialect.name == "sqlite":
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA busy_timeout = 10000")
        cursor.close()


class Money(BaseModel):
    amount: Decimal
    currency: str


class Order(BaseModel):
    amount: Money


@app.post("/orders", status_code=201)
def create(order: Order) -> dict[str, str]:
    id = str(uuid4())
    with engine.begin() as conn:
        conn.execute(insert(orders).values(id=id, body=order.model_dump(mode="json")))
    return {"order_id": id}


if __name__ == "__main__":
    metadata.create_all(engine)
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning", access_log=False)
