"""Generators, one module per language; each turns one service into plan items."""
