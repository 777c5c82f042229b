"""G18 and G20: let go what was kept long enough, in small batches."""
