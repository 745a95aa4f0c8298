"""Who deployed, and whether that was allowed: identity, approvals, ticket, and the clocks that date it all."""
