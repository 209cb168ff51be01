"""사고신고: whoever knows ID and number of a person suspends their certificate, at any hour and without login (E11)."""
