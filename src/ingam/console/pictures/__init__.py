"""Pictures of the day: registrations, issues, failures by code, and how outside parties fare."""
