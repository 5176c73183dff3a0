"""The ways in: each connector is a function that serves a ``Bot``; none knows another."""
