"""The backend ``rtl-folded``: streaming units with PE and SIMD folding, from the hand-written library."""
