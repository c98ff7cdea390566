"""One command for each table and figure of the papers."""
