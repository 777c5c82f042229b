"""J05: tell clients that their credits are about to expire."""
