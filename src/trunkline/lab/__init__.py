"""The lab: a real PBX and a real carrier on loopback, for the demo, tests and measurements."""
