"""공동인증서란?: what a joint certificate is, its kinds, how long it lasts, and where to report a loss."""
