"""조회: for now a page that says what comes."""
