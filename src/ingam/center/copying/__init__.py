"""인증서복사: two devices of one person, a number between them, and the registered certificate (W6, B3; security C)."""
