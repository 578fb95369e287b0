"""What went wrong, fit to be shown, with the exit code that says which kind (sysexits)."""

USAGE, DATA, NO_INPUT, UNAVAILABLE, CANNOT_CREATE = 64, 65, 66, 69, 73


class Problem(Exception):
    """`message` names the place, the cause and the remedy; a message of several lines holds one problem a line."""

    def __init__(self, message, exit_code=DATA):
        super().__init__(message)
        self.exit_code = exit_code
