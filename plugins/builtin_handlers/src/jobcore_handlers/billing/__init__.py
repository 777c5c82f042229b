"""The reckoning of invoices: pure functions over plain values, no database and no clock."""
