"""Readers of file formats; each yields blocks of structures."""
