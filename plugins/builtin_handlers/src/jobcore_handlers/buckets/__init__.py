"""J08: count anew how much of each bucket of minutes is used."""
