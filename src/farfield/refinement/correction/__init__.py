"""Prior correction: the output is mended by what the prior head is known to get wrong."""
