"""The blind index of personal numbers (security H7): its key in a process of its own, or in this one's memory."""
