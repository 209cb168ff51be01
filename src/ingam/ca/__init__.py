"""The certification authority: it alone lints, signs and keeps the books; the center reaches it by CMP."""
