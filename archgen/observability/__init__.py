"""What watches a generated system: Prometheus rules, Grafana dashboards, the collector; as plain data."""
