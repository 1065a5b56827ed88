"""How a generated system is shipped: images, compose, Kubernetes, the gateway; as plain data."""
