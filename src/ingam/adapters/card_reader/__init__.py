"""The reader of identity cards: Tesseract in a fenced process of its own for every photograph."""
