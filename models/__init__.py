"""What the network is: meaning, data, training, compression, lowering.  No hardware here."""
