"""Reads every line of every container since the rollout began, and says what is critical, new or unseen."""
