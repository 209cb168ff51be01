"""Policy by two persons: limits, accepted certificate policies, trusted authorities; the center follows in seconds."""
