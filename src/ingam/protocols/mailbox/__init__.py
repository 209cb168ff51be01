"""The copy protocol `ingam-copy/1`: a certificate from one device to another through a relay that learns nothing.

Both roles and the relay's side, pure: no clock, socket, file or randomness of its own. The description is
docs/reference/copy-protocol.md; the bytes are held to vectors/copying, which the browser's tests read too.
"""
