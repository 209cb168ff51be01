"""The sandbox of 금융인증서: a cloud that keeps keys, in a process and on an origin of its own.

It speaks docs/reference/finance-cert.md to the center and shows people its window. Its certificates are yessign's,
whose house it asks over CMP as a registration authority; a PIN that was wrong five times locks the key.
"""
