"""SystemVerilog: the hand-written library, the templates, and the generators that instantiate them."""
