"""Is release X, and nothing else, live and healthy here, can a client do business on it, and can we prove it?"""
