"""The binding (등록): which certificate stands for which customer, and the numbered checks that lead to it."""
