"""Rightful answers privacy requests and keeps a retention policy, on the controller's own AWS account."""

__version__ = "0.1.0"
