"""Evidence: what a project on disk shows of itself. Collectors read, facts remember, nothing here judges."""
