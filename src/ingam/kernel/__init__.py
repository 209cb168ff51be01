"""What every storey shares: flow tables, failures, words, instants, secrets, the ledger, and named steps."""
