"""인증서관리: what is registered here, 타기관인증서 해제, 폐지, 효력정지 (W4, W7)."""
