"""Tables of decisions: what is lost by choosing architectures without training, and what a difference is worth."""

import numpy as np

from ..rank_analysis.analysis import Agreement, RankAnalysis
from ..rank_analysis.statistics import Decisions
from .document import Part, Points, Table, Text
from .pair_counts import has_band, in_pairs, pairs_of
from .task_tables import shared
from .words import UNKNOWN, band, listed, number, percent

ORDERS = {"untrained": "untrained accuracy", "random": "random order", "parameters": "number of parameters"}
"""Descriptions of the orders of training."""


def decisions(analysis: RankAnalysis) -> list[Part]:
    """Return the tables of decisions."""
    said = (
        "Regret is the trained accuracy that is lost by training the best k untrained architectures of a random subset "
        "only, instead of all. The best is chosen on one half of clips and seeds and valued on the other half, so a "
        "small regret may come out negative."
    )
    found: list[tuple[str, Decisions]] = [("mean over tasks", analysis.decisions)]
    if len(analysis.tasks) > 1:
        found += [(task.name, task.decisions) for task in analysis.tasks]
    if not any(each.regrets for _, each in found):
        return [Text("Too few architectures have both scores.")]
    parts: list[Part] = [regret_table(found), Text(said, "note"), search_table(found)]
    return parts


def regret_table(found: list[tuple[str, Decisions]]) -> Table:
    """Return the regret for each number of candidates and each number of trained architectures."""
    rows = [
        [
            name,
            f"{regret.k} of {regret.n_candidates}",
            number(regret.points, 1),
            percent(regret.share, 0),
            percent(regret.recall, 0),
            percent(regret.chance, 0),
        ]
        for name, each in found
        for regret in each.regrets
    ]
    header = ["task", "trained", "regret (points)", "regret (% of best - median)", "recall (%)", "by chance (%)"]
    return Table("Regret, and share of the k best that are among the untrained k best.", header, rows)


def search_table(found: list[tuple[str, Decisions]]) -> Table:
    """Return how many architectures must be trained to be within a point of the best."""
    rows = [
        [name, str(search.n_candidates), *(str(search.n_within_point.get(order, UNKNOWN)) for order in ORDERS)]
        for name, each in found
        for search in each.searches
    ]
    header = ["task", "candidates", *(f"by {text}" for text in ORDERS.values())]
    return Table("Architectures to train until the mean regret is at most 1 point.", header, rows)


def agreement(analysis: RankAnalysis) -> list[Part]:
    """Return how often the better architecture without training is the better one with training."""
    said = [
        "Pairs that share an architecture are not independent; the band of the figure accounts for that by drawing "
        "designs.",
        *worth(analysis.agreement),
        *without_band(analysis),
    ]
    parts: list[Part] = [agreement_table(analysis.agreement)]
    if names := shared(analysis):
        halves = "shares and probabilities take both accuracies from opposite halves of the clips"
        counts = "Numbers of pairs in sentences are of all clips, not cross-fitted, and may be too high by shared clips"
        parts.append(Text(f"On {listed(names)}, {halves}. {counts}.", "note"))
    return [*parts, Points(said)]


def agreement_table(found: Agreement) -> Table:
    """Return the share of pairs with the same order with training, by their difference without it."""
    rows = [[band(each.low, each.high), percent(each.share, 0), f"{each.n_pairs:,}"] for each in found.bands]
    header = ["difference untrained (points)", "same order trained (%)", "pairs"]
    return Table("Pairs of architectures by the difference of their untrained accuracies.", header, rows)


def shares(found: Agreement) -> str:
    """Return the share of pairs with the same order in each band, as a sentence."""
    said = [f"{percent(each.share, 0)} % at {band(each.low, each.high)} points" for each in found.bands if each.n_pairs]
    return f"Pairs in the same order: {', '.join(said)}." if said else "There are no pairs."


def worth(found: Agreement) -> list[str]:
    """Return from which difference on the order is the same with a probability of 90 %, as a sentence.

    The lower end of the band decides. Without a band, or if it stays lower, nothing is said.
    """
    enough = np.flatnonzero(found.low >= 0.9)  # NaN is not
    if not len(enough) or not has_band(found)[enough[0]]:
        return []
    least = number(float(found.difference[enough[0]]), 1)
    return [f"From a difference of {least} points on, the same order is at least 90 % likely (lower end of the band)."]


def without_band(analysis: RankAnalysis) -> list[str]:
    """Return what the largest differences say if all drawn pairs agree, so that there is no band, as a sentence."""
    found = analysis.agreement
    bare = np.flatnonzero(~has_band(found) & np.isfinite(found.probability))
    if not len(bare) or bare[-1] != len(found.difference) - 1:
        return []
    start = float(found.difference[found.probability >= found.probability[-1] - 1e-9][0])
    scores = [(task.scores.untrained.tolist(), task.scores.trained.tolist()) for task in analysis.tasks]
    counted = in_pairs(pairs_of(scores, analysis.apart.tolist()), start)
    return [f"The order with training was the same {counted}, which are too few for a band."]
