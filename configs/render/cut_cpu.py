# As fastcut_cpu, with photos that must keep their own patches (the weight is shared), and upright.
_base_ = "fastcut_cpu.py"
objective = dict(nce=0.1, identity=True, flip=False)
