"""Importing tables that people bring, assets so far: read as a stream, within limits, whatever is in them."""
