"""Sweeps: a space of candidates, priced before they are trained, searched for a front of verified IP."""
