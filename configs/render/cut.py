# CUT (Park et al. 2020): contrast in place of the way back; no pool, and 200 + 200 epochs.
# Its code also smooths before it halves and doubles, and draws weights after Glorot; here both are
# CycleGAN's.
_base_ = "_base_/published.py"
objective = dict(type="contrastive", nce=1.0, patches=256, width=256, temperature=0.07)
adversarial = dict(pool=0)
training = dict(iterations=534_000)
