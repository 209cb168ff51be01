"""다른 서비스 로그인: this center as an OpenID Connect provider for clients under contract (security F12)."""
