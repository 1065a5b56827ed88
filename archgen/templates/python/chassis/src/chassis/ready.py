"""`python -m chassis.ready`: exits with 0 when the service beside it takes work.

For health checks of containers; an image without curl needs nothing more than this.
"""

from __future__ import annotations

import http.client
import os
import sys


def ready(port: int, seconds: float = 3.0) -> bool:
    """Whether the service on `port` of this machine answers that it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ.get("PORT", "8000"))) else 1)
