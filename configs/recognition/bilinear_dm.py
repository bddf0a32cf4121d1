# Two backbones that learn apart. The paper takes VGG-D and VGG-M; with weights of VGG at hand:
# options = dict(backbone="vgg16", second="vgg11").
_base_ = "_base_/small.py"
system = "bilinear_dm"
