"""What every storey shares: flow tables, failures, words, instants, secrets, and named steps."""
