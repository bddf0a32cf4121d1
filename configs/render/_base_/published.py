# What CycleGAN and CUT share as published: ResNet-9 generators of width 64 on crops of 256 px,
# a 70x70 PatchGAN, least squares, Adam at 0.0002 with batches of one crop, and a rate that falls
# linearly over the second half.
kind = "learned"
generator = dict(width=64, blocks=9, upsampling="transposed", output="tanh")
discriminator = dict(width=64, layers=3)
adversarial = dict(loss="least_squares", pool=50)
crops = dict(side=256, load_scale=1.0, flip=True)
# 200 epochs of the 1,334 photos of horse-to-zebra, the larger side of CycleGAN's best-known task.
training = dict(
    iterations=267_000,
    batch_size=1,
    lr=0.0002,
    betas=(0.5, 0.999),
    flat_until=0.5,
    precision="auto",
    sample_every=1000,
    save_every=300.0,
    workers=2,
)
