"""Reports of a SIP Profile, of the whole Manager and of deleted profiles (SPEC R9, R13; guide 7.11).

`subject`: whose report, of which month. `sheet`: what a report shows, as a table; the page and each file are made of the same one.
"""
