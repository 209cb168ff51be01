"""금융인증서: for now a page that says what comes."""
