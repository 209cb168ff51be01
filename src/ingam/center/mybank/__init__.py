"""마이뱅크: every certificate that the authority ever issued to this person, and what was registered here (D2)."""
