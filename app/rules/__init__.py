"""Decisions, and nothing else: no await, clock, log, random, database or HTTP in here."""
