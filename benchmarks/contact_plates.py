"""Feet in contact against force plates, from markers: python benchmarks/contact_plates.py ../shared/data/force_plates.

F1 of both feet over the frames in which the plates bear the whole person: contacts from heights and speeds of the
captured motion (`motion/kinematic_contact.py`), from the network that the studio has taught, without an image, and from
always saying contact. None of these recordings was used for training.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.force_plates import LOADED, TRIALS, by_foot, covered
from motion.body import body_of
from motion.contact_posterior import refine_contacts
from motion.importers import import_motion
from motion.kinematic_contact import kinematic_contacts
from motion.skeleton import CONTACT_SITES
from records import ContactStates


def main() -> None:
    """Print one row per trial and the figure line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder that holds subject4, opensim_core and bmc")
    options = parser.parse_args()
    print(f"{'trial':<16}{'contact':>9}{'always':>8}{'kinematic':>11}{'network':>9}")
    rows = []
    for trial in TRIALS:
        plates = trial.plates(options.folder)
        (track,) = import_motion(options.folder / trial.markers)
        motion = track.motion
        time = (track.first_frame + np.arange(motion.num_frames)) / motion.fps
        force, place = plates.at(time)
        counted = covered(trial.kind, force, motion.fps)
        truth = by_foot(track, force, place)[counted] > LOADED
        body, q = body_of(motion), np.asarray(motion.q)
        unknown = ContactStates(names=CONTACT_SITES, probability=np.full((len(q), 4), 0.5), fps=motion.fps)
        said = [np.ones_like(truth)]
        for states in (kinematic_contacts(body, motion), refine_contacts(body, q, unknown)):
            said.append(states.probability[counted, :2] >= 0.5)
        row = [2 * (s & truth).sum() / max(int(s.sum() + truth.sum()), 1) for s in said]
        rows.append(row)
        print(f"{trial.name:<16}{truth.mean():>9.0%}{row[0]:>8.3f}{row[1]:>11.3f}{row[2]:>9.3f}", flush=True)
    always, kinematic, network = np.mean(rows, axis=0)
    print(f"contacts on plates: F1 of feet, network {network:.3f}, kinematic {kinematic:.3f}, always {always:.3f}")


if __name__ == "__main__":
    main()
