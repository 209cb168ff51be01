"""The other authorities as the sandbox knows them: it stands in front of them, and says what is wrong on purpose.

What is right they say themselves: each is an authority of the same code as ours (`ca/`), in a process of its own.
"""
