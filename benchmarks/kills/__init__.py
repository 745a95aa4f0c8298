"""The harness is killed wherever that hurts, and the product's own books say whether a penny was lost."""
