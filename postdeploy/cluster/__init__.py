"""Reads Kubernetes once, read-only, and judges what was seen."""
