"""Call control: the only process that decides about live calls (DESIGN D2, D3).

One loop, one thread, one transaction at a time:

    gather questions, journal events and due increments of a few milliseconds
      → load the purses and channels concerned
      → run the pure rules over them, in order
      → write everything back, commit
      → answer

Read `daemon.py` for the loop, `batch.py` for one turn of it, `domain/admission.py` and `domain/calls.py` for the rules.
"""
