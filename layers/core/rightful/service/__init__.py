"""Use cases: each is a function of the ports and the request."""
