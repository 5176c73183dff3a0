"""Examples → version. ``run.train`` is the way in; importing this package loads nothing heavy."""
