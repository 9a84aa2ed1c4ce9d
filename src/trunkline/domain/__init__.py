"""Pure rules: no Django, no I/O, no clock, no random. Everything that they need is handed in."""
