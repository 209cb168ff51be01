"""OTP tokens in our own tables."""
