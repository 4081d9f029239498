"""Python reads this before anything else: the clock of the store runs ahead by the seconds that /clock/offset names."""
import time

real = time.time


def ahead():
    try:
        with open("/clock/offset") as file:
            return real() + float(file.read() or 0)
    except OSError:
        return real()


time.time = ahead
