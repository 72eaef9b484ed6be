from untrained.embeddings.profile import Profile, profile_line


def test_work_is_summed_over_processes_and_wall_time_is_not():
    one = Profile(n_clips=6, audio=60.0, wall=2.0, decoding=1.0, network=1.0)
    other = Profile(n_clips=4, audio=40.0, wall=4.0, decoding=2.0, network=3.0)
    numbers = Profile.combined([one, other]).as_numbers()
    assert numbers["n_clips"] == 10
    assert numbers["clips_per_second"] == 2.5
    assert numbers["audio_hours_per_hour"] == 25
    assert numbers["seconds_decoding"] == 3
    start = "2.5 clips per second, 25 hours of audio per hour (time summed over processes, in s: decoding 3.0, "
    assert profile_line(numbers).startswith(start)
