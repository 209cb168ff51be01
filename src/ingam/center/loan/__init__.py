"""대출신청 (a placeholder form): filled in, read once more, signed with the certificate, kept with its evidence."""
