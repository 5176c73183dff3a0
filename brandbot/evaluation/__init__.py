"""Versions measured: ruler, losses, metrics, report, gate. ``run.evaluate`` is the way in."""
