"""알림 설정: how a person wants to be told, and what is told to everybody (B5)."""
