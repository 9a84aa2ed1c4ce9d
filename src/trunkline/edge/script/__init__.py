"""The script inside Kamailio's workers (its own Python, standard library only): ask, relay, report. No business rules.

One module is one concern; `callbacks` is where Kamailio comes in. Nothing in here may block: a worker that waits answers nobody.
"""
