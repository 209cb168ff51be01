"""인증서관리: for now a page that says what comes."""
