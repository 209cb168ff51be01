"""The transparency log as bytes: RFC 9162 hashing and proofs, salted commitments, events, signed heads, tiles, bundles.

Both roles (the log's and everybody's who checks it), no I/O, no clock: what is stored is reached through a callback.
Heads, co-signatures, witness requests and tiles have the forms of C2SP (signed-note, tlog-checkpoint,
tlog-cosignature, tlog-witness, tlog-tiles), so that tools which we did not write can follow the log;
docs/reference/log.md has every byte.
"""
