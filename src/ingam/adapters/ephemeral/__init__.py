"""What may vanish: in this process, or on a Valkey that several nodes of the center share."""
