"""Pictures from measured text and right angles. Nothing here knows what is drawn."""
