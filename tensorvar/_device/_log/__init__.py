"""Showing and keeping records: the placement log, recordings, and their files."""
