"""Examples → version. ``run.train`` is the way in; importing this package loads nothing heavy."""


def interrupted(error: BaseException) -> bool:
    """Whether an error is a training that Ctrl-C stopped; asked without loading torch."""
    return type(error).__name__ == "Interrupted"
