"""Business handlers for jobcore: invoices, archives of invoices, webhooks.

The names here load what they need when they are used, so that importing the package costs nothing.
"""
