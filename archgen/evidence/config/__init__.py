"""Configuration read into facts: one module per kind of file, each a function from a source to facts."""
