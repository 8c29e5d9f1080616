"""The 48 concepts of the drawn world, in 8 categories of 6; two of each category are held out."""

from __future__ import annotations

from typing import NamedTuple


class Concept(NamedTuple):
    """A concept of the drawn world."""

    id: str
    category: str
    #: whether it is kept out of the training on associations
    held_out: bool


_CATEGORIES = {
    "mammal": "dog cat horse* elephant rabbit* giraffe",
    "bird_or_fish": "duck* owl penguin goldfish shark* flamingo",
    "fruit": "apple banana pear* cherry* grape pineapple",
    "vehicle": "car bus* bicycle boat* airplane train",
    "instrument": "guitar drum* piano trumpet violin* harp",
    "furniture": "chair table* bed lamp sofa* bookcase",
    "clothing": "shirt trousers dress* hat shoe sock*",
    "tool": "hammer saw screwdriver* wrench axe* scissors",
}

CONCEPTS: tuple[Concept, ...] = tuple(
    Concept(word.rstrip("*"), category, word.endswith("*"))
    for category, words in _CATEGORIES.items()
    for word in words.split()
)

BY_ID: dict[str, Concept] = {concept.id: concept for concept in CONCEPTS}
