"""What the authority says of its certificates when asked by OCSP: signed once, kept, dropped the moment it is untrue.

`responders`: who signs for which generation; `answers`: the responder beside the books; `feed` and `mirror`: the
responder on another node, which has neither keys nor books. HTTP is `run/va`'s; what it makes of an answer is kept here
ready to send (`framing`).
"""
