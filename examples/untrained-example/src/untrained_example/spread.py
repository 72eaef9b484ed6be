"""Proxy that measures how far apart the embeddings of classes are before training."""

import torch
from untrained.proxies import DegenerateError, Proxy, Subject


class ClassSpread(Proxy):
    """Distance between the mean embeddings of classes, relative to the spread within them (Fisher 1936)."""

    needs = ("data", "labels")

    def compute(self, subject: Subject) -> float:
        inputs, labels = subject.batch.inputs, subject.batch.labels
        maps = subject.feature_maps(inputs)
        embeddings = torch.cat([layer.flatten(2).mean(2) for layer in maps], dim=1).double()
        means = torch.stack([embeddings[labels == label].mean(0) for label in labels])
        within = (embeddings - means).square().sum()
        if within == 0:
            raise DegenerateError("the clips of each class have equal embeddings")
        return ((means - embeddings.mean(0)).square().sum() / within).item()
