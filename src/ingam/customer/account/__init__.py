"""The account: banking ID and password, its failures, its lock (security F7, F8)."""
