"""A stand-in of any environment on loopback, built from that environment's own file."""
