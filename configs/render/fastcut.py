# FastCUT (Park et al. 2020): no identity, ten times the contrast, mirrored batches, and a rate that
# falls from three quarters (150 + 50 epochs) on.
_base_ = "cut.py"
objective = dict(nce=10.0, identity=False, flip=True)
training = dict(iterations=267_000, flat_until=0.75)
