"""How an operator comes in: a passkey with user verification, and the one-time link that a passkey is made by (G1)."""
