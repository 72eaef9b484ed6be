import logging

import pytest
from untrained.embeddings.processes import lost_process_explained
from untrained.errors import UntrainedError

KEPT = "embeddings written so far are kept; run the same command again"


def test_the_error_of_a_lost_connection_explains_what_is_kept():
    gloo = "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1\nmore"
    said = rf"ended unexpectedly \(.*closed by peer .*:1\); {KEPT}"
    with pytest.raises(UntrainedError, match=said), lost_process_explained(print):
        raise RuntimeError(gloo)


def test_other_errors_are_not_changed():
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2"), lost_process_explained(print):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_the_reason_is_shown_before_lightning_kills_the_process():
    logger = logging.getLogger("lightning_fabric.strategies.launchers.subprocess_script")
    said, level = [], logger.level
    with lost_process_explained(said.append):
        logger.info("[rank: 1] Child process with PID 7 terminated with code -9. Forcefully terminating all others")
        logger.info("something else")
    assert len(said) == 1
    assert "ended unexpectedly (Child process with PID 7 terminated with code -9); " + KEPT in said[0]
    assert (logger.level, logger.handlers) == (level, [])
