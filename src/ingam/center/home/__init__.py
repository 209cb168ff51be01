"""인증센터 home: what the person's certificate is like here, and which of the manual's two routes comes next."""
