# FastCUT's contrast, at a weight that leaves a generator which starts from no change free to start:
# where the output is the input, the contrast is at its best already. Instead, photos must stay
# photos, and things where they are.
_base_ = "_base_/cpu.py"
objective = dict(
    type="contrastive",
    nce=0.1,
    identity=False,
    flip=True,
    free_tint=True,
    patches=64,
    width=64,
    same=10.0,
    content=1.0,
)
adversarial = dict(pool=0)
