"""Labelled and unlabelled images of active learning."""

import numpy as np

# The share of the images that the first labels are taken from; the others are
# the pool: 10,000 and 40,000 of MNIST in the authors' code.
_SOURCE = 0.2


class Pool:
    """Images that have a label, and those that may be given one.

    Args:
        labels: classes of all images, `(examples,)`, of which only those are
            looked at that were bought.
        per_class: images of each class that have a label at first.
        num_scored: images of the pool that are scored each time, drawn at
            random; fewer where there are fewer.
        seed: of the order of the images and of what is scored.
        released: whether what was scored is put back beside what was never
            taken out, as in the authors' code: the pool grows, and an image
            may be taken again.

    Attributes:
        labelled: places of the images with a label, a list.
    """

    def __init__(self, labels, per_class, num_scored, seed, released=False):
        self._generator = np.random.default_rng(seed)
        self._num_scored = num_scored
        self._released = released
        order = self._generator.permutation(len(labels))
        size = int(_SOURCE * len(labels))
        source, self._entries = order[:size], list(order[size:])
        self.labelled = []
        for label in np.unique(labels):
            found = source[labels[source] == label][:per_class]
            if len(found) < per_class:
                raise ValueError(
                    f"Expected {per_class} images of class {label} among the "
                    f"first {size}; got {len(found)}."
                )
            self.labelled += found.tolist()

    def __len__(self):
        """Returns how many entries the pool has."""
        return len(self._entries)

    def candidates(self):
        """Draws the entries that are scored next.

        Returns:
            int64 array, places of images.
        """
        count = min(self._num_scored, len(self._entries))
        self._scored = self._generator.choice(
            len(self._entries), count, replace=False
        )
        return np.array(self._entries)[self._scored]

    def take(self, chosen):
        """Gives labels to some of the candidates.

        Args:
            chosen: integers, places among what `candidates` returned last.
        """
        images = [self._entries[place] for place in self._scored]
        taken = [images[place] for place in chosen]
        self.labelled += [int(image) for image in taken]
        if self._released:
            bought = set(np.asarray(chosen).tolist())
            self._entries += [
                image
                for place, image in enumerate(images)
                if place not in bought
            ]
        else:
            gone = set(taken)
            self._entries = [x for x in self._entries if x not in gone]
