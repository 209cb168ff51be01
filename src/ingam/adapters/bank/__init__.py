"""The way to all banks: 금융결제원 오픈뱅킹."""
