"""Many ask where every thread is, while the garbage collector runs at every other allocation."""

from __future__ import annotations

import subprocess
import sys

PATIENCE_S = 300.0
PROGRAM = """
import gc, threading, time, weakref
from seawall.runtime.frames import current_frames

class Ring:
    def __init__(self):
        self.me = self

def lets_others_go_on(_):
    time.sleep(0)

def ask():
    for _ in range(300):
        ring = Ring()
        kept.append(weakref.ref(ring, lets_others_go_on))
        del ring
        assert threading.get_ident() in current_frames()
        other = threading.Thread(target=current_frames)
        other.start()
        other.join()

kept = []
gc.set_threshold(1)
threads = [threading.Thread(target=ask) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(gc.isenabled(), len(kept))
"""


def test_asking_where_all_threads_are_hangs_nobody_while_garbage_is_collected() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stdout.split(), done.stderr) == (["True", "1800"], "")
