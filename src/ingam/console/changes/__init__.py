"""Changes that two natural persons sign (security G2, G3): drafted, submitted, approved, applied.

`flow.py` is the machine, `kinds.py` what a feature brings to have a change of its own, `service.py` walks it.
"""
