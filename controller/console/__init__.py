"""The console: pages for people, served by the service itself to those who logged in."""
