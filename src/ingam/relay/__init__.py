"""The blind relay of copying: mailboxes in which two devices of one person leave each other sealed messages.

It knows a mailbox number and sizes of sealed bytes, nothing else; who may use it stands on tickets of the center (C12).
"""
