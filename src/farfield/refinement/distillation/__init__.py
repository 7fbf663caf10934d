"""Distillation: a plain model learns what a refined one says of unlabelled structures."""
