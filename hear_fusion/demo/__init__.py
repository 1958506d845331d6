"""The demonstration: small tasks from sounds that pip packages carry, studied and scored."""
