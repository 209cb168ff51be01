"""The other authorities: roots, licensed CAs and responders in the shape of npki.md section 2, with books of their own.

They know nothing of the center; what they say of a certificate comes from their own records.
"""
