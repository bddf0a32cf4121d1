"""How a learned renderer is built and trained: plain, checked values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

GanLoss = Literal["least_squares", "logistic"]
Norm = Literal["instance", "none"]
Precision = Literal["float32", "bfloat16", "float16", "auto"]


@dataclass(frozen=True)
class GeneratorSettings:
    """Shape of a generator; the defaults are CycleGAN's for 256 px.

    Attributes:
        width: channels at full resolution; 2 and 4 times as many at a half and a quarter.
        blocks: residual blocks at a quarter of the resolution.
        upsampling: "transposed" as published; "resize" enlarges and then convolves, which cannot
            leave a checkerboard (Odena et al. 2016) and costs more.
        output: "tanh" as published; "residual" adds it to the input and starts from no change
            at all, which a short training does not have to learn first.
        norm: "instance" as published. It takes a picture's own colours out before anything is
            learned, which suits an output made anew ("tanh"); one that is added to the picture
            must see them: "none".
    """

    width: int = 64
    blocks: int = 9
    upsampling: Literal["transposed", "resize"] = "transposed"
    output: Literal["tanh", "residual"] = "tanh"
    norm: Norm = "instance"

    def __post_init__(self) -> None:
        _above(self, 0, "width", "blocks")


@dataclass(frozen=True)
class DiscriminatorSettings:
    """Shape of a PatchGAN discriminator; the defaults judge patches of 70x70 px.

    Attributes:
        width: channels of the first layer; doubled by each layer, up to 8 times.
        layers: that halve the resolution.
        norm: "instance" as published; with "none" it also judges the colour of the whole.
    """

    width: int = 64
    layers: int = 3
    norm: Norm = "instance"

    def __post_init__(self) -> None:
        _above(self, 0, "width", "layers")


@dataclass(frozen=True)
class AdversarialSettings:
    """The game between generators and discriminators.

    Attributes:
        loss: "least_squares" (Mao et al. 2017, as CycleGAN and CUT) or "logistic" (the first GAN).
        pool: pictures that the pool remembers: 50 in CycleGAN, none in CUT.
    """

    loss: GanLoss = "least_squares"
    pool: int = 50

    def __post_init__(self) -> None:
        _above(self, -1, "pool")


@dataclass(frozen=True)
class CycleSettings:
    """CycleGAN (Zhu et al. 2017).

    Attributes:
        cycle: weight of the cycle's L1 (lambda).
        identity: of the identity's L1, as a part of `cycle`.
        distance: "l1" as published. It has its edge at no change, and holds generators that start
            there; "squared" lets them go.
        content: weight of the structure that must stay (`.content`); 0 as published.
    """

    cycle: float = 10.0
    identity: float = 0.5
    distance: Literal["l1", "squared"] = "l1"
    content: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(self, "cycle", "identity", "content")


@dataclass(frozen=True)
class ContrastiveSettings:
    """CUT (Park et al. 2020) by default; FastCUT is nce=10, identity=False, flip=True.

    Attributes:
        nce: weight of the patches' contrast (lambda_NCE).
        patches: places compared in each layer of each picture.
        width: of the compared vectors.
        temperature: of the contrast (tau).
        identity: photos, too, must come out with their own patches; halves both weights.
        same: weight of the squared change of photos, which are what they should be; 0 as published.
        flip: every other batch is translated mirrored, and must come out mirrored.
        free_tint: maps are compared without their own mean and spread: the light of a picture may
            change as a whole, its colours not among each other. False as published, where the
            encoder's norms leave the mean out of all maps but the pixels.
        content: weight of the structure that must stay (`.content`); 0 as published.
    """

    nce: float = 1.0
    patches: int = 256
    width: int = 256
    temperature: float = 0.07
    identity: bool = True
    flip: bool = False
    free_tint: bool = False
    same: float = 0.0
    content: float = 0.0

    def __post_init__(self) -> None:
        _above(self, 0, "patches", "width", "temperature")
        _not_negative(self, "nce", "same", "content")


@dataclass(frozen=True)
class CropSettings:
    """Which crops are learned from.

    Attributes:
        side: px of a crop.
        load_scale: scenes are scaled by this first; photos so that they match the scenes' size.
            The renderer then works at this scale, too. Above 0, at most 1.
        flip: mirror every other crop.
    """

    side: int = 256
    load_scale: float = 1.0
    flip: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.load_scale <= 1:
            raise ValueError(f"crops: expected load_scale in (0, 1], got {self.load_scale!r}")
        if self.side < 16 or self.side % 4:
            raise ValueError(f"crops: expected side a multiple of 4 from 16 on, got {self.side}")


@dataclass(frozen=True)
class TrainingSettings:
    """The loop. `iterations`, `minutes` or both limit it.

    Attributes:
        iterations: batches; None for no such limit.
        minutes: wall time; None for no such limit.
        batch_size: crops of each side in a batch (of each process).
        lr: of Adam.
        betas: of Adam.
        flat_until: fraction of the budget after which the rate falls linearly, to 0 at the end.
        ema: the renderer is an average of the weights that forgets by this factor; 0 for none.
        precision: of the networks; "auto" is 16 bits where the machine multiplies them fast.
        sample_every: batches from one picture of samples to the next.
        save_every: seconds from one resume point to the next.
        workers: threads that read crops ahead.
    """

    iterations: int | None = None
    minutes: float | None = None
    batch_size: int = 1
    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    flat_until: float = 0.5
    ema: float = 0.0
    precision: Precision = "float32"
    sample_every: int = 500
    save_every: float = 60.0
    workers: int = 1

    def __post_init__(self) -> None:
        given = [name for name in ("iterations", "minutes") if getattr(self, name) is not None]
        if not given:
            raise ValueError("training: expected iterations, minutes or both")
        _above(self, 0, *given, "batch_size", "lr", "sample_every")
        _not_negative(self, "save_every", "workers")
        for name, value in (("ema", self.ema), ("flat_until", self.flat_until)):
            if not 0 <= value < 1:
                raise ValueError(f"training: expected {name} in [0, 1), got {value!r}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"training: expected betas in [0, 1), got {self.betas!r}")


@dataclass(frozen=True)
class TilingSettings:
    """When and how a picture is translated in pieces.

    Attributes:
        tile: side of a piece in px at the working scale; 0 takes pictures whole while they are
            not larger than `max_pixels`.
        overlap: px over which neighbours fade into each other.
        max_pixels: of a picture that is taken whole, at the working scale.
    """

    tile: int = 0
    overlap: int = 64
    max_pixels: int = 4_000_000

    def __post_init__(self) -> None:
        _above(self, 0, "max_pixels")
        _not_negative(self, "tile", "overlap")
        if 0 < self.tile < max(2 * self.overlap, 16):
            raise ValueError(
                f"tiling: expected tile 0, or at least 16 and twice the overlap "
                f"({2 * self.overlap}), got {self.tile}"
            )


@dataclass(frozen=True)
class RenderSettings:
    """All of a learned renderer. `objective` is chosen in a config by its `type`."""

    training: TrainingSettings
    objective: CycleSettings | ContrastiveSettings
    generator: GeneratorSettings = field(default_factory=GeneratorSettings)
    discriminator: DiscriminatorSettings = field(default_factory=DiscriminatorSettings)
    adversarial: AdversarialSettings = field(default_factory=AdversarialSettings)
    crops: CropSettings = field(default_factory=CropSettings)
    tiling: TilingSettings = field(default_factory=TilingSettings)

    def __post_init__(self) -> None:
        # Two convolutions of 4 px follow the halvings, and a norm needs more than one place.
        least = 3 * 2**self.discriminator.layers
        if self.crops.side < least:
            raise ValueError(
                f"crops: a discriminator of {self.discriminator.layers} layers needs a side of "
                f"{least} px or more, got {self.crops.side}"
            )


def _above(settings: object, low: float, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not value > low:
            raise ValueError(f"expected {name} above {low}, got {value!r}")


def _not_negative(settings: object, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not value >= 0:
            raise ValueError(f"expected {name} 0 or more, got {value!r}")
