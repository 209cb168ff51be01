"""What a user agent that places calls needs of SIP (RFC 3261): messages, transactions, Digest, SDP, RTP and its events.

Bytes in, bytes out: no socket, no clock, no randomness. `message` reads and writes; `transaction` is the machine of
RFC 3261 section 17 with RFC 6026's correction; `sdp` offers and reads answers (RFC 3264, RFC 4568); `rtp` and `gate`
read speech packets and let through only what was negotiated (security E6); `dtmf` is RFC 4733; `pcmu` is G.711 μ-law.
"""
