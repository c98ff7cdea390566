"""How training begins after new labels.

Where it was, anew, or as Gal et al. do it (dropout only): anew, in few epochs,
with weight decay over the number of labels.
"""

STARTS = {
    "warm": "warm start",
    "fresh": "re-initialised",
    "gal": "Gal's settings",
}
