"""What holds for every test."""

from hypothesis import settings

settings.register_profile("rightful", deadline=None)
"""A loaded machine is slow now and then; no test fails by the clock."""
settings.load_profile("rightful")
