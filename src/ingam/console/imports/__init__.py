"""등록 가져오기: what `ingam import` has done so far, and what waits for its customers' first login."""
