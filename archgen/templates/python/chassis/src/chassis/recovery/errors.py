"""What stops a backup or a restore; the text is for the person who runs it."""


class RecoveryError(Exception):
    """It could not be done; nothing that was there before is lost."""
