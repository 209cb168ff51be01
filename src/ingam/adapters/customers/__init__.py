"""The institution's customers in our own tables; a core-banking system by another module."""
