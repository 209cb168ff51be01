"""수수료: what is held, charged and released, and which charges hang."""
