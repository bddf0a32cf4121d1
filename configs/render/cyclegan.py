# CycleGAN (Zhu et al. 2017): lambda 10, identity at half of it, a pool of 50.
_base_ = "_base_/published.py"
objective = dict(type="cyclegan", cycle=10.0, identity=0.5, content=0.0)
