"""The bot in Slack: mentions, direct talks and ``/brandbot``, by Socket Mode or over HTTP."""
