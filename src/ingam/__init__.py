"""Ingam (인감): an open joint-certificate (공동인증서) center."""
