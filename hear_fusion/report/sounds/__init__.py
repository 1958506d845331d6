"""What there is to see of sounds themselves: one with its layers, many on a map."""
