"""전자금융사기 예방서비스: for now a page that says what comes."""
