"""The papers: their tables and figures, as data."""
