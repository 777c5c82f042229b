"""J09: forms that belonged to a single run of a workflow."""
