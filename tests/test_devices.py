"""Whatever takes a `device` has a test that shows that it is honoured; none is forgotten."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Function, class or method -> the test that shows that what it runs or makes is on its device.
SHOWN_BY = {
    "rpc.checkout.loading.load": "detection/test_detector.py",
    "rpc.checkout.trained.load_checkout": "detection/test_detector.py",
    "rpc.detection.config.build_config": "detection/test_configs.py",
    "rpc.detection.detector.Detector": "detection/test_detector.py",
    "rpc.detection.detector.Detector.load": "detection/test_detector.py",
    "rpc.features.backbones.embedding.Embedder": "features/backbones/test_embedding.py",
    "rpc.features.backbones.feature_maps.FeatureMaps": "features/backbones/test_feature_maps.py",
    "rpc.inference.openvino_network.OpenvinoNetwork": "inference/test_openvino_network.py",
    "rpc.inference.session.OnnxNetwork": "inference/test_session.py",
    "rpc.pipelines.naming.run.Naming": "cli/test_naming_tools.py",
    "rpc.recognition.counter.recogniser.Recogniser": "recognition/counter/test_recogniser.py",
    "rpc.recognition.counter.recogniser.Recogniser.from_state": (
        "recognition/counter/test_recogniser.py"
    ),
    "rpc.recognition.counter.train.train_recogniser": (
        "recognition/counter/test_recogniser_training.py"
    ),
    "rpc.recognition.ensemble.ensemble_file.read_ensemble": (
        "recognition/ensemble/test_ensemble_file.py"
    ),
    "rpc.recognition.ensemble.ensemble_file.read_ensemble_classifier": (
        "recognition/ensemble/test_ensemble_file.py"
    ),
    "rpc.recognition.systems.registry.create_system": "recognition/systems/test_registry.py",
    "rpc.retrieval.descriptors.product_descriptor.MapStatistics": (
        "retrieval/descriptors/test_product_descriptor.py"
    ),
    "rpc.retrieval.descriptors.product_descriptor.ProductDescriptor": (
        "retrieval/descriptors/test_product_descriptor.py"
    ),
    "rpc.retrieval.descriptors.plain_descriptor.PlainDescriptor": (
        "retrieval/descriptors/test_recipes.py"
    ),
    "rpc.retrieval.descriptors.recipes.describer": "retrieval/descriptors/test_recipes.py",
    "rpc.retrieval.descriptors.recipes.describer_of": "retrieval/descriptors/test_recipes.py",
    "rpc.runs.processes.has_fast_bfloat16": "runs/test_processes.py",
    "synth.exemplar.methods.common_object.CommonObjectSegmenter": "synth/test_devices.py",
    "synth.exemplar.methods.registry.make_segmenter": "synth/test_devices.py",
    "synth.exemplar.methods.saliency.providers": "synth/test_devices.py",
    "synth.quality.features.PhotoEncoder": "synth/test_devices.py",
    "synth.render.apply.chunks.Job": "synth/test_devices.py",
    "synth.render.apply.renderer.read_renderer": "synth/test_devices.py",
}
# Those that hand a device on: what they call is in the table, or told in its test.
ONLY_PASSED_ON = {
    "rpc.checkout.counter.Checkout",
    "rpc.checkout.exported.loading.descriptor_of",
    "rpc.checkout.exported.loading.load_exported",
    "rpc.checkout.trained.load_ensemble_checkout",
    "rpc.checkout.trained.recogniser_of",
    "rpc.retrieval.descriptors.onnx_descriptor.OnnxDescriptor",
    "rpc.retrieval.descriptors.onnx_descriptor.OnnxDescriptor.read",
    "rpc.checkout.trained.load_gallery_checkout",
    "rpc.pipelines.bench_counter.BenchRequest",
    "rpc.pipelines.colocalisation.ColocalisationRequest",
    "rpc.pipelines.cutouts.CutoutRequest",
    "rpc.pipelines.descriptor.DescriptorRequest",
    "rpc.pipelines.doctor.counted_tray",
    "rpc.pipelines.doctor.examine",
    "rpc.pipelines.gallery.adding.AddRequest",
    "rpc.pipelines.gallery.held_out.HeldOutRequest",
    "rpc.pipelines.gallery.held_out_report.measure",
    "rpc.pipelines.gallery.recipe.descriptor_for",
    "rpc.pipelines.gallery.recipe.descriptor_of",
    "rpc.pipelines.gallery.search.SearchRequest",
    "rpc.pipelines.gallery.tuning.TuneRequest",
    "rpc.pipelines.naming.measure.NamingRequest",
    "rpc.pipelines.quality.measure.QualityRequest",
    "rpc.pipelines.recognition.fuse.FusionRequest",
    "rpc.pipelines.recognition.request.Request",
    "rpc.pipelines.recognition.table.RecognitionTableRequest",
    "rpc.pipelines.render_scenes.RenderRequest",
    "rpc.pipelines.retrieval.measure.RetrievalRequest",
    "rpc.pipelines.starts.StartRequest",
    "rpc.pipelines.store_job.job.Job",
    "rpc.pipelines.table3.Table3Request",
    "rpc.pipelines.train_renderer.RendererRequest",
    "rpc.recognition.systems.system.Batch.to",
    "rpc.retrieval.descriptors.recipes.MakesDescriber.__call__",
    "rpc.runs.processes.Processes",
    "rpc.runs.processes.joined",
    "synth.exemplar.cutouts.build_cutouts",
    "synth.exemplar.methods.combined.CombinedSegmenter.on",
    "synth.exemplar.methods.common_object.CommonObject",
    "synth.exemplar.methods.saliency.SaliencySegmenter",
    "synth.render.apply.learned.from_state",
    "synth.render.apply.render_dataset.render_dataset",
    "synth.render.training.pool.ImagePool.from_state",
}


def _takes_device(source, prefix):
    """The public functions, classes and methods of a module that have a parameter `device`."""
    return {f"{prefix}.{name}" for name in _named(ast.parse(source).body)}


def _named(body):
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            if any(_is_field(part) for part in node.body):
                yield node.name
            for name in _named(node.body):
                yield node.name if name == "__init__" else f"{node.name}.{name}"
        elif isinstance(node, ast.FunctionDef) and (
            not node.name.startswith("_") or node.name.endswith("__")
        ):
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            if "device" in {argument.arg for argument in given}:
                yield node.name


def _is_field(node):
    return (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == "device"
    )


def test_the_search_finds_functions_methods_constructors_and_fields():
    source = """
def run(x, *, device="cpu"): ...
def _hidden(device): ...
def other(devices): ...
class A:
    def __init__(self, device): ...
    @classmethod
    def load(cls, device): ...
class B:
    device: str = "cpu"
"""
    assert _takes_device(source, "m") == {"m.run", "m.A", "m.A.load", "m.B"}


def test_whatever_takes_a_device_is_in_the_table():
    found = set()
    for path in [*ROOT.glob("rpc/**/*.py"), *ROOT.glob("synth/**/*.py")]:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found |= _takes_device(path.read_text(encoding="utf-8"), module)
    assert found == {*SHOWN_BY, *ONLY_PASSED_ON}


@pytest.mark.parametrize(("name", "path"), SHOWN_BY.items())
def test_the_table_names_a_test_of_it(name, path):
    source = (ROOT / "tests" / path).read_text(encoding="utf-8")
    tests = [
        ast.get_source_segment(source, node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and "device" in node.name
    ]
    used = name.rpartition(".")[2]
    assert any(used in test for test in tests), f"{path}: no test of a device uses {used}"
