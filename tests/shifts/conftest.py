from __future__ import annotations

from hypothesis import settings

# Derandomised: a failure is the same failure for everyone. No deadline: machines are shared.
settings.register_profile("farfield", derandomize=True, deadline=None, database=None)
settings.load_profile("farfield")
