"""The brokerage's public API as a client sees it; every exchange is recorded, redacted, and can be judged again."""
