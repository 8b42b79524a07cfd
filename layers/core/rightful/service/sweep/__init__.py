"""The retention sweep, step by step: split, count, weigh, apply, report. See `rightful.retention` for its rule."""
