# Cycle and identity by squared distances: L1 has its edge at no change, where the generators start.
_base_ = "_base_/cpu.py"
objective = dict(type="cyclegan", cycle=3.0, identity=3.0, distance="squared", content=1.0)
training = dict(batch_size=2)
