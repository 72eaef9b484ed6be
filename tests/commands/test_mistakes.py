"""Invalid command lines end with one message, before anything is computed."""

import pytest


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("predict --data synthetic --model.frontend vgg6", "unknown frontend 'vgg6'; did you mean 'vgg'?"),
        ("predict --data foldr --model.frontend vgg", "unknown datamodule 'foldr'; did you mean 'folder'?"),
        ("fit --data synthetic --model.backend elmo", "unknown backend 'elmo'; did you mean 'elm'?"),
        ("predict --data folder --model.frontend vgg", "--data: the following arguments are required: root"),
        ("predict --data synthetic --data.fold 3", "--data: Option 'fold' is not accepted; --data.help NAME"),
        (
            "predict --data synthetic --model.frontend vgg --model.frontend.n_filters x",
            "--model.frontend.n_filters: Expected int; Given value: x",
        ),
        (
            "predict --data synthetic --model.frontend temporal --model.frontend.n_filters 6",
            "n_filters=6; expected a multiple of 4",
        ),
        ("predict --data synthetic", "no frontend was given: add --model.frontend, one of"),
        ("predict --model.frontend vgg", "required: --data"),
        ("fit --data synthetic --model.frontend mfcc", "no backend was given: add --model.backend"),
        ("predict --data folder --data.root gone --model.frontend vgg", "no folder at root='gone'"),
        ("predict --data synthetic --data.n_samples 0 --model.frontend vgg", "n_samples=0; expected"),
        (
            "predict --data synthetic --data.n_samples 2147483648 --model.frontend vgg",
            "n_samples=2147483648; expected an integer below 2**31",
        ),
        (
            "predict --data synthetic --data.clips_per_class 3 --model.frontend mfcc --trainer.accelerator cpu "
            "--trainer.devices 40",
            "24 clips cannot be shared by 40 devices; use --trainer.devices 24 or fewer",
        ),
        (
            "predict --data synthetic --model.frontend mfcc --model.backend.kernel=rbf --model.backend svm",
            "--model.backend.kernel has no effect on predict (embeddings hold all layers, unchanged",
        ),
        ("test --data synthetic --ckpt_path x.ckpt --model.protocol study", "--model.protocol has no effect on test"),
        ("fit --data synthetic --model.frontend mfcc --trust x.Y", "--trust has no effect: only test and classify"),
        ("test --data synthetic", "test needs a checkpoint written by fit: --ckpt_path"),
        ("test --data synthetic --ckpt_path gone.ckpt", "no checkpoint at gone.ckpt"),
        ("predict --config gone.yaml", "gone.yaml"),
        (
            "compare gone.yaml",
            "no study 'gone.yaml': neither a file nor a bundled study (extended_ballroom, gtzan",
        ),
        ("compare --frontends [vgg6]", "frontends[0]: unknown frontend 'vgg6'; did you mean 'vgg'?"),
        ("compare --seeds many", "--seeds: Expected"),
        ("compare --seeds []", "seeds: the list is empty; add at least one entry"),
        ("compare gtzan", "roots.gtzan: no folder is given; add --roots.gtzan DIR"),
        ("report gone", "no runs.json in gone; expected the folder of a study"),
        ("report", "report takes one folder, the folder of a study"),
        ("report gone --test t", "argument --test: invalid choice: 't'"),
        ("predict --data synthetic --model.frontend vgg --model.frontend.n_filters 0", "n_filters=0; expected"),
        (
            "predict --data synthetic --model.frontend timbral --model.frontend.n_filters 10000000000000",
            "the arguments need more memory than this machine has; give smaller values",
        ),
        ("comprae", "unknown command 'comprae'; did you mean 'compare'?"),
        (
            "list embeddings frontends",
            "embeddings frontends: embeddings cannot be listed with other kinds; run untrained list embeddings",
        ),
        ("list backend", "unknown kind 'backend'; expected frontends, backends, datamodules"),
    ],
)
def test_invalid_command_lines_end_with_one_message(untrained, command, message):
    status, out, err = untrained(*command.split())
    assert status == 2
    assert message in err
    assert err.startswith("untrained: error: ")
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mfcc", "--model.pooling", "max"], "MFCC overrides forward() instead of defining feature_maps()"),
        (["vgg", "--model.layers", "[5]"], "layers=[5]; expected 'all', 'last' or a list of different numbers"),
        (
            ["vgg", "--model.layers", "first"],
            "--model.layers: Expected list; Expected one of 'all', 'last'; Given value: first",
        ),
        (["vgg", "--model.init", "zeros"], "--model.init: Expected one of 'he_truncated', 'he_normal', 'xavier'"),
        (
            ["vgg", "--model.frontend.size", "large", "--model.frontend.n_filters", "4"],
            "size='large' and n_filters=4 are both given; leave out one (size='large' means n_filters=717)",
        ),
        (["temporal", "--model.frontend.n_filters", "6"], "n_filters=6; expected a multiple of 4, such as 8"),
        (["temporal", "--model.frontend.lengths", "[3, 2]"], "--model.frontend.lengths: Expected a tuple with 4"),
    ],
)
def test_options_that_do_not_apply(untrained, arguments, message):
    fit = ["fit", "--data", "synthetic", "--model.backend", "elm", "--model.frontend"]
    status, out, err = untrained(*fit, *arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""


def test_a_configuration_that_is_not_utf_8_is_named(untrained, tmp_path):
    (tmp_path / "bad.yaml").write_bytes("name: café".encode("latin-1"))
    (tmp_path / "outer.yaml").write_text("trainer: bad.yaml\n")
    for command in ("compare bad.yaml", "fit --config bad.yaml", "check data --config=bad.yaml"):
        status, _, err = untrained(*command.split())
        assert status == 2
        reason = "unexpected end of data at byte 9"
        assert err == f"untrained: error: bad.yaml is not UTF-8 ({reason}); save it as UTF-8\n"
    for part in ("--model", "--trainer"):
        status, _, err = untrained("fit", "--data", "synthetic", part, "bad.yaml")
        assert status == 2
        assert "a file that the command line names is not UTF-8" in err
    status, _, err = untrained("compare", "outer.yaml")
    assert status == 2
    assert "a file that outer.yaml names is not UTF-8" in err
