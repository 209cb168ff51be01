"""Tasks behind the login: 추가인증 or a signature, one last press, and ONE transaction of each step.

A feature says which tasks it has, what proves them and what the last press saves; the flow, its walks, the additional
authentication and the handling of requests are here.
"""
