# For 8 minutes on 2 cores. Scenes are learned from at half their size; the renderer then adds its
# change to the full-size scene, whose print stays sharp. The generator starts from no change
# ("residual") and, like the discriminator, sees the colour of the whole, which norms would remove.
_base_ = "published.py"
generator = dict(width=24, blocks=4, upsampling="resize", output="residual", norm="none")
discriminator = dict(width=32, layers=2, norm="none")
crops = dict(side=64, load_scale=0.5)
training = dict(
    iterations=None, minutes=8.0, batch_size=4, lr=0.0005, ema=0.98, sample_every=200, workers=1
)
