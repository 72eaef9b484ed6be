import pytest
from untrained.errors import UsageError
from untrained.studies.rank.frozen_scores import FrozenJob
from untrained.studies.rank.items import Item
from untrained.studies.rank.proxy_scores import ProxyJob


def test_each_item_has_a_job_with_its_own_seed_and_rate(planned):
    found = planned()
    name = found.design.architectures[0]
    frozen = found.job(Item("synthetic-events", name, "random", None, 0))
    assert isinstance(frozen, FrozenJob)
    assert frozen.frontend.seed == 0
    proxies = found.job(Item("synthetic-events", name, "proxies", None, 0))
    assert isinstance(proxies, ProxyJob)
    assert [type(each).__name__ for each in proxies.proxies] == ["NASWOT", "SynFlow", "JacobCov", "ZiCo"]
    first = found.job(Item("synthetic-events", name, "trained", 0.001, 100)).job
    other = found.job(Item("synthetic-events", name, "trained", 0.003, 100)).job
    head = found.job(Item("synthetic-events", name, "linear", 0.003, 200)).job
    last = found.job(Item("synthetic-events", name, "trained-last", 0.003, 100)).job
    assert [each.module.learning_rates for each in (first, other)] == [[0.001], [0.003]]
    assert [each.module.seed for each in (first, head)] == [100, 200]
    assert [each.scores_first_epoch for each in (first, other, head, last)] == [True, False, False, False]
    assert (head.module.head_only, last.module.head) == (True, "last")
    assert len({each.key.identity for each in (first, other, head, last)}) == 4
    assert first.datamodule.batch_size == 8


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--frontends", "[mfcc]"], r"^frontends\[0\]: frontend 'mfcc' has no random weights, so .* nothing to train"),
        (["--apart", "[vgg, logmel_stats]"], r"^apart\[1\]: frontend 'logmel_stats' has no random weights"),
        (["--frontends", "[nothing]"], r"^frontends\[0\]: .*nothing"),
        (["--proxies", "[nothing]"], r"^proxies\[0\]: unknown proxy 'nothing'"),
        (["--designs.n", "0"], "there is no architecture"),
        (["--training.max_steps", "0"], r"^training.max_steps: 0; expected 1 or more"),
    ],
)
def test_problems_are_refused_before_anything_is_computed(planned, words, problem):
    with pytest.raises(UsageError, match=problem):
        planned(*words)


def test_a_task_without_the_three_splits_is_refused(planned):
    folds = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 2048, folds: 3}}]"
    with pytest.raises(UsageError, match=r"^datamodules\[0\]: .* test splits, which folds do not replace"):
        planned("--datamodules", folds)


def test_a_task_with_one_class_is_refused(planned, sounds, tmp_path):
    (tmp_path / "one").symlink_to(sounds / "low")
    data = f"[{{class_path: folder, init_args: {{root: {tmp_path}, n_samples: 2048}}}}]"
    with pytest.raises(UsageError, match=r"^datamodules\[0\]: .*(one class|fewer than two classes|two classes)"):
        planned("--datamodules", data)


def test_all_problems_are_reported_at_once(planned):
    with pytest.raises(UsageError, match=r"2 reasons:\n  seeds.linear: .*\n  proxies\[0\]: "):
        planned("--seeds.linear", "[100]", "--proxies", "[nothing]")
