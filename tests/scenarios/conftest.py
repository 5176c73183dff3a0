"""Stories go over everything: Slack, and a browser."""

from __future__ import annotations

from tests.slack.conftest import slack  # noqa: F401 (fixture)
