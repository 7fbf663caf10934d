"""The parts of the verb ``simulate``: what it refuses, runs, writes and reports."""
