"""Tells everyone with an account of a material change of the policy."""
