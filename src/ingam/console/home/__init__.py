"""What an operator sees first: who they are here, and what waits for them."""
