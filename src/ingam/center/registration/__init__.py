"""타기관인증서등록: identify, prove, choose a certificate, be registered (manual.txt part 1; flows.md W3)."""
