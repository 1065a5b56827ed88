"""The rules of the audit: what is looked for, why, and what to do. `registry` lists them all."""
