"""Adaptation: gradient steps on the representation at test time, judged without labels."""
