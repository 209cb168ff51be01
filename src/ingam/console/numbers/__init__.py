"""1회용 인증번호 at a branch: issued once on a screen and a slip, taken back, listed by day (security E10)."""
