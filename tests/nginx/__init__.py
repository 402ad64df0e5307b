"""A real nginx before the reference servers: reverse proxy, terminator of TLS, and page of errors."""
