"""Who may do what: users' tokens, services' tokens, roles, ownership and rate limits.

- `model` says as data who may reach which operation; the generated `access.py` builds it
- `gate` holds every request to that, in one place, before its body is read
- `ownership` keeps what is somebody's own from everybody else
- `keys`, `tokens` and `keysets` sign and verify
- `accounts`, `sessions`, `passwords` and `http` sign people in, in the service that does so
- `peers` signs calls to other services
- `rates` slows down who asks too often

Domain code sees none of it.
"""

from chassis.security.guard import Guarded
from chassis.security.model import Accounts, Caller, ExternalIssuer, OwnIssuer, Rule, Security
from chassis.security.ownership import owner

__all__ = ["Accounts", "Caller", "ExternalIssuer", "Guarded", "OwnIssuer", "Rule", "Security", "owner"]
