"""Jobs of a pool of processes, in a module that its processes can import."""

import os
import time

import torch


class Job:
    """Job that returns its number and the number of threads, or fails."""

    def __init__(self, number, seconds=0.0):
        self.number, self.seconds, self.prepared = number, seconds, False

    def carry_out(self, place):
        place.say(f"job {self.number}")
        time.sleep(self.seconds)
        if self.number < 0:
            raise ValueError("negative")
        return self.number, torch.get_num_threads()

    def prepare(self, say):
        self.prepared = True


def exit_at_once():
    """End this process as if the system had killed it."""
    os._exit(9)
