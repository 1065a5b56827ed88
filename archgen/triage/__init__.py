"""What is said about findings: which a team lives with, which it knew, which a change touched."""
