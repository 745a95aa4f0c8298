"""What was done and how it is undone: the durable journal, the leases of the accounts, the undoing itself."""
