"""The knobs of a data set, as a model file declares them, and the rule that maps their units to what a network gets."""


def control(name, unit, low, high, default, steps=None):
    """A knob of min..max, mapped evenly to -1..1 (the grey-box paper, section 3.1); a switch of two positions to 0..1."""
    span = high - low
    if steps == 2:
        scale, offset = 1.0 / span, -low / span
    else:
        scale, offset = (2.0 / span, -(high + low) / span) if span > 0.0 else (1.0, -low)
    out = {"name": name, "unit": unit, "min": low, "max": high, "default": default,
           "to_model": {"scale": scale, "offset": offset}}
    if steps is not None:
        out["steps"] = steps
    return out


def inferred(name, values):
    """A knob known only by the settings it was recorded at: their range; in the middle by default, at the setting
    nearest to it. 0 and 1 alone make a switch."""
    low, high = min(values), max(values)
    steps = 2 if set(values) == {0.0, 1.0} else None
    middle = (low + high) / 2.0
    return control(name, "", low, high, min(sorted(set(values)), key=lambda value: abs(value - middle)), steps)
