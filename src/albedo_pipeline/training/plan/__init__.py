"""What a training takes: memory, operations, time and disk, from its settings alone."""
