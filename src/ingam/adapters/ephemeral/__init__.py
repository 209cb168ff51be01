"""What may vanish: in this process now, in Valkey by another module."""
