"""Certification authorities as the center reaches them: CMP over HTTP, our own or a contracted one."""
