"""Trains models for Gainstage."""
