"""Reminders, as a plugin of jobcore."""
