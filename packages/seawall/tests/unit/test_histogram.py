from seawall.core.histogram import BOUNDS_S, Distribution, Histogram


def test_a_duration_is_counted_up_to_its_bound_and_the_longest_ones_in_the_rest() -> None:
    histogram = Histogram()
    for duration_s in (0.0, 0.001, 0.0011, 99.0):
        histogram.add(duration_s)
    seen = histogram.distribution()
    assert seen.counts[0] == 1
    assert seen.counts[BOUNDS_S.index(0.001)] == 1
    assert seen.counts[BOUNDS_S.index(0.003)] == 1
    assert seen.counts[-1] == 1
    assert seen.total == 4
    assert seen.sum_s == 99.0021


def test_distributions_add_up() -> None:
    one = Distribution((1,) * (len(BOUNDS_S) + 1), 2.0)
    assert (one + one + Distribution()).total == 2 * one.total
    assert (one + one).sum_s == 4.0
