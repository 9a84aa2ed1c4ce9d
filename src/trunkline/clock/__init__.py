"""What happens because time passes: renewals, recharges, reminders, mail (docs/explanation/clock.md).

`sweeps` says what there is, `catch_up` in which order it is done, `loop` when; `forward` puts the virtual clock of a test system forward.
"""
