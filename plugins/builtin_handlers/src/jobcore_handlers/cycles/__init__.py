"""J13: make the billing cycles of every client, up to today."""
