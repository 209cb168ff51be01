"""금융인증서: what is asked of its provider, the checks of what comes back, and who registered which."""
