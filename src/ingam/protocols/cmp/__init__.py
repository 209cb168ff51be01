"""CMP (RFC 9810, 9483, 9481, 4211): PKIMessage bytes ⇄ messages ⇄ protection; both roles; no clock, socket, randomness.

`message` reads and writes the whole, `crmf` and `bodies` what stands in a body, `protection` and `pop` prove who made
it, `client` is the asking end; `encrypted_vid` and `tcp` are the NPKI profile's (npki.md §3, §6).
"""
