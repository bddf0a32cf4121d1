import numpy as np

from rpc.pipelines.naming import measure
from rpc.pipelines.naming.pictures import picture_evidence
from rpc.pipelines.naming.run import Crops
from tests.features.local.packs import lying, pack

SHELF = [pack(label=(200, 30, 30)), pack(label=(40, 60, 210))]


def crops(pictures, labels):
    names = [f"{place}.jpg" for place in range(len(pictures))]
    boxes = np.tile([0.0, 0, 30, 30], (len(pictures), 1))
    return Crops(pictures, np.array(labels), np.array(names), names, boxes)


EXEMPLARS = crops(SHELF, [0, 1])
QUERIES = crops([lying(SHELF[1]), lying(SHELF[0]), np.full((40, 40, 3), 9, np.uint8)], [1, 0, 1])
SCORES = np.array([[0.51, 0.5], [0.5, 0.51], [0.5, 0.51]])


def test_queries_are_compared_with_the_pictures_of_each_skus_exemplars():
    done = []
    evidence = picture_evidence(
        EXEMPLARS, EXEMPLARS.labels, QUERIES, SCORES, lambda *step: done.append(step)
    )
    assert evidence[:2].argmax(axis=1).tolist() == [1, 0]
    assert not evidence[2].any()
    assert done[-1] == (3, 3)


def test_the_report_tells_what_pictures_add(tmp_path):
    request = measure.NamingRequest(tmp_path, tmp_path / "out", pictures=True)
    fields = {"queries": QUERIES, "truth": QUERIES.labels}
    fields |= {"exemplars": EXEMPLARS, "owner": EXEMPLARS.labels}
    naming, ranks = type("Naming", (), fields), np.array([1, 1, 0])
    row = measure._more_evidence(request, naming, SCORES, np.zeros((3, 2)), ranks)
    assert list(row) == ["words", "pictures", "both", "tray"]
    assert row["pictures"]["top1"] == row["both"]["top1"] == 1.0
    assert round(3 * row["pictures"]["legible"]) == 2
    assert row["words"]["top1"] < 0.5
