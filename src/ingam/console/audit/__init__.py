"""감사 로그 조회: who looks writes down why, and the look itself is a line of the audit (W11, G4)."""
