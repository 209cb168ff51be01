"""Switches, hours and notices of the service, as operators set them."""
