"""Several worker processes under one supervisor: `jobcore worker --processes N`."""
