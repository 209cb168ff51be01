"""The SMS provider: Aligo, or a recording twin for tests."""
