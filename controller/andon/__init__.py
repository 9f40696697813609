"""Alarms for people: `words` says them, `standing` keeps the list while the service runs, `page` prints their codes."""
