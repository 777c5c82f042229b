"""J01: bill one client for one billing cycle."""
