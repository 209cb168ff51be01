"""The address book: juso.go.kr."""
