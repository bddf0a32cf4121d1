import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from rpc.features.encodings.linear_svm import NEVER, fit_linear_svm


def clouds(classes, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(30 * classes) % classes
    return rng.normal(0, 0.2, (len(labels), 6)) + np.eye(6)[labels], labels


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_scores_name_the_class_of_every_cloud(classes):
    vectors, labels = clouds(classes)
    weights, bias = fit_linear_svm(vectors, labels, classes)
    assert weights.shape == (classes, 6)
    assert ((vectors @ weights.T + bias).argmax(axis=1) == labels).mean() > 0.98


def test_the_scores_are_liblinears():
    vectors, labels = clouds(3)
    weights, bias = fit_linear_svm(vectors, labels, 3, cost=0.5)
    wanted = LinearSVC(C=0.5, random_state=0, tol=1e-3).fit(vectors, labels)
    assert np.allclose(vectors @ weights.T + bias, wanted.decision_function(vectors), atol=1e-5)


def test_a_class_without_examples_is_never_named():
    vectors, labels = clouds(3)
    weights, bias = fit_linear_svm(vectors, np.array([0, 4, 5])[labels], 7)
    scores = vectors @ weights.T + bias
    assert set(scores.argmax(axis=1)) == {0, 4, 5}
    assert (scores[:, [1, 2, 3, 6]] == NEVER).all()


def test_two_classes_score_as_opposites():
    weights, bias = fit_linear_svm(*clouds(2), 2)
    assert np.allclose(weights[0], -weights[1])
    assert bias[0] == -bias[1]


def test_what_cannot_be_learned_is_told():
    vectors, labels = clouds(2)
    with pytest.raises(ValueError, match="2 classes or more"):
        fit_linear_svm(vectors, labels * 0, 2)
    with pytest.raises(ValueError, match="labels from 0 to 1"):
        fit_linear_svm(vectors, labels + 1, 2)
    vectors[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit_linear_svm(vectors, labels, 2)


def test_a_fit_that_is_not_at_its_end_says_nothing_of_it(monkeypatch):
    vectors, labels = clouds(3)
    with pytest.warns(ConvergenceWarning):  # as the library says
        LinearSVC(random_state=0, max_iter=1).fit(vectors, labels)
    monkeypatch.setattr(
        "sklearn.svm.LinearSVC", lambda **given: LinearSVC(**{**given, "max_iter": 1})
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights, bias = fit_linear_svm(vectors, labels, 3)
    assert ((vectors @ weights.T + bias).argmax(axis=1) == labels).mean() > 0.9
