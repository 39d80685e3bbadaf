"""Statistics that assume no distribution of the noise: trends of short series, and whether two samples differ."""

from whyheap.stats.median_interval import MedianInterval, median_interval
from whyheap.stats.rank_test import mann_whitney
from whyheap.stats.trend import Kendall, Slope, mann_kendall, median_absolute_deviation, theil_sen

__all__ = [
    "Kendall",
    "MedianInterval",
    "Slope",
    "mann_kendall",
    "mann_whitney",
    "median_absolute_deviation",
    "median_interval",
    "theil_sen",
]
