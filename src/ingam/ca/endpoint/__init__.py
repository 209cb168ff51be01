"""The CMP endpoint: one message in, one message out (RFC 9810, RFC 9483); who may ask what is decided here alone."""
