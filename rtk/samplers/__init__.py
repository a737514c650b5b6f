"""Samplers: how to carry chains across one segment of the reverse path."""
