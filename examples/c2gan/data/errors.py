"""What can be wrong with data."""


class DataError(ValueError):
    """Data that is not there, or not as it should be: the message names the folder or file, and the mend."""
