"""synth: exemplar photos to checkout scenes (cut-outs, then composed scenes, 'Syn')."""
