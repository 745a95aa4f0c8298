"""The ledger: every deployment and every verification of it in one append-only chain, rebuilt from run folders at will.

The run folder stays the record; a row here is an index entry that names its folder and the hash of its manifest.
"""
