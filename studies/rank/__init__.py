"""Rank study: does the rank of untrained architectures predict the rank of the same architectures after training?"""
