"""Channels to tell people: Alertmanager, Slack, a plain webhook, and all that apprise knows."""
