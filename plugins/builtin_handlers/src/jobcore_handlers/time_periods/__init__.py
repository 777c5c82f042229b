"""J14: make a tenant's next periods for recording time, some days before they begin."""
