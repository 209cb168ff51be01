"""Identity by mobile telephone: PortOne v2."""
