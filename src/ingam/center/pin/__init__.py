"""간편비밀번호 at the center (security B8): keys that PINs are stretched with, and nothing of any PIN."""
