"""What a profile remembers of training structures, small enough to be given to others."""
