"""The relay's store: in this process's memory, or on a Valkey that several nodes share."""
