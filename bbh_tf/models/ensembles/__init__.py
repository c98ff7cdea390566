"""Networks trained side by side."""
