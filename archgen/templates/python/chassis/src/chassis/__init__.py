"""The microservice chassis: the patterns every service of this system shares, as a small library.

Read in this order: `domain` (what a service writes), `uow` (how a use case touches it), `db`
(transactions), `outbox` and `inbox` (how messages leave and arrive), `saga` and `reactions`
(how services work together), `service` (how it is put together).
"""
