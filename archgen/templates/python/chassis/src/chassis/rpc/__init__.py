"""Calls over gRPC: the contract at work, the server of a service, and the channel to a peer.

Imported only by services that serve or make such calls: what it needs takes a while to load.
"""

from chassis.rpc.contract import Contract, Method, contract
from chassis.rpc.views import ServedView

__all__ = ["Contract", "Method", "ServedView", "contract"]
