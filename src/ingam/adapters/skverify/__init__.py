"""The verifying daemon of other systems' messages."""
