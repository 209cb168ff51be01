"""조합장 확인: which of several heads of a union is here, after a login by the union's ID and password."""
