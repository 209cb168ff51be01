"""The automatic call of 2채널 인증: a provider over HTTP, or our own SIP user agent on an institution's trunk."""
