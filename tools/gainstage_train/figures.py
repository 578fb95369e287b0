"""Numbers for people: three significant digits, so that a small error never reads 0.0000."""

import math

SMALLEST_PLAIN = 1e-4


def figure(value: float) -> str:
    """ "0.00670", "12.3", "4567"; below 0.0001 "2.30e-6". "none" of what is no number."""
    if not math.isfinite(value):
        return "none" if math.isnan(value) else "infinite"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.2e}".split("e")
    power = int(exponent)
    if power < math.log10(SMALLEST_PLAIN):
        return f"{mantissa}e{power}"
    return f"{value:.{max(0, 2 - power)}f}"


def decibels(ratio: float) -> float:
    """Of two energies."""
    return 10 * math.log10(max(ratio, 1e-12))


def change(value: float) -> str:
    """The same with its sign: "+1.20e-9"."""
    return f"+{figure(value)}" if value > 0 else figure(value)


def error(esr: float) -> str:
    """ "0.0123 (-19.1 dB)" """
    return f"{figure(esr)} ({decibels(esr):.1f} dB)" if math.isfinite(esr) else figure(esr)


def duration(seconds: float) -> str:
    """ "45 s", "12 min", "2 h 05 min" """
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
