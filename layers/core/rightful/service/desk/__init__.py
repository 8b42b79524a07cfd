"""The DPO desk: what a data protection officer may ask for in JSON, and the use cases behind it."""
