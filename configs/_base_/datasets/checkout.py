# Composed scenes in, checkout images of the val split for validation.
# Folders and the number of classes are filled in from the data when the config is built, and so
# is `image_size` wherever a step below says 'Resize' or 'Pad': change it by --cfg-options alone.
image_size = 416  # pixels, the longer side
agnostic = False  # True: every SKU is the one class "product"

train_pipeline = [
    dict(type="LoadRGB"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="Resize", scale=(416, 416), keep_ratio=True),
    dict(type="RandomQuarterTurn"),  # and no mirroring: print does not read backwards
    dict(type="RandomLight"),
    dict(type="Pad", size=(416, 416), pad_val=dict(img=(114, 114, 114))),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadRGB"),
    dict(type="Resize", scale=(416, 416), keep_ratio=True),
    dict(type="Pad", size=(416, 416), pad_val=dict(img=(114, 114, 114))),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="CheckoutDataset", root="", source="scenes", pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CheckoutDataset", root="", source="val", test_mode=True, pipeline=test_pipeline
    ),
)
val_evaluator = dict(type="CheckoutMetric", root="")
