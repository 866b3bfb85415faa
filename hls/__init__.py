"""What the network becomes: prices, firmware, tools.  Never sees a framework's object."""
