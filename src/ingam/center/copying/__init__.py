"""인증서복사: for now a page that says what comes."""
