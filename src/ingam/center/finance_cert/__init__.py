"""금융인증서: 안내, 등록과 해제, 로그인, and the page before the provider's window (W9)."""
