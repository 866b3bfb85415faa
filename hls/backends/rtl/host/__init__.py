"""Complete tops for boards with a UART host link, and the PC's side of that link."""
