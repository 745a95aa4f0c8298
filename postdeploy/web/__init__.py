"""The public hosts of an environment: each is asked once in one sweep, and the claims judge what came back."""
