"""전자금융사기 예방서비스: designated devices, passkeys for the login, the numbers that codes go to, their history."""
