"""Chaos: the whole program under a seeded schedule of faults, with rows counted from outside."""
