"""금융인증서: how the center speaks to the provider of its cloud."""
