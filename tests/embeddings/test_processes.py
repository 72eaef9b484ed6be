import logging

import pytest
from untrained.embeddings.processes import lost_process_explained
from untrained.errors import UntrainedError

KEPT = "what was written so far is kept; run the same command again"


def test_a_lost_connection_says_what_is_kept():
    gloo = "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1\nmore"
    said = rf"has ended too early \(.*closed by peer .*:1\); {KEPT}"
    with pytest.raises(UntrainedError, match=said), lost_process_explained(print):
        raise RuntimeError(gloo)


def test_other_errors_are_left_as_they_are():
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2"), lost_process_explained(print):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_a_process_that_lightning_kills_says_so_before():
    logger = logging.getLogger("lightning_fabric.strategies.launchers.subprocess_script")
    said, level = [], logger.level
    with lost_process_explained(said.append):
        logger.info("[rank: 1] Child process with PID 7 terminated with code -9. Forcefully terminating all others")
        logger.info("something else")
    assert len(said) == 1
    assert "ended too early (Child process with PID 7 terminated with code -9); " + KEPT in said[0]
    assert (logger.level, logger.handlers) == (level, [])
