"""The authority's transparency log: leaves for what it does, heads in batches, files for everybody, proofs for owners.

A leaf is in the books before its certificate leaves the authority (security H3). Heads follow in batches: each is
computed from kept subtrees, compared with all that was signed before, signed, co-signed, recorded, and published. A
books file that lost or changed a leaf gets no further head.
"""
