"""Results: files, statistics, and the pages and tables made of them."""
