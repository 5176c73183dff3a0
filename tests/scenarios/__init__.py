"""Whole stories, end to end."""
