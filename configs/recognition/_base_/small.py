# For a processor: small photos, AdamW at a rate that falls by a cosine, batches that fit in memory.
# Quarter turns and mirror images are the data's affair: crops of trays turn, birds are mirrored.
side = 160
options = dict()
training = dict(epochs=10.0, batch_size=16, lr=0.001)
augmentation = dict(least_area=0.6, light=0.1)
validation = dict(share=0.15, seed=0)
