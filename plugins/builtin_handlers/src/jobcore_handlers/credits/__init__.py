"""J04 and J06: let credits expire, and hold the ledger against what is kept beside it."""
