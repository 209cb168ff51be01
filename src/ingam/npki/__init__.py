"""What a joint certificate (공동인증서) is: key files, VID, subject, policies, folder, PFX, CMS, chain, shapes.

Usable alone, with `cryptography` as its only dependency. No clock, socket or environment: an instant and a source of
randomness are parameters. Only `folder` touches files.
"""
