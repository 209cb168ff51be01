"""폐지 대행: a customer's certificate that two operators have the authority end (security D14, G2)."""
