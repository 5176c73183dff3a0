"""How fast documents are indexed and searched, each beside its alternative, in one run; medians.

    python benchmarks/search.py [--large 100000]

1. The index alone: exact, half precision, lists (IVF) and a graph (HNSW) at 10,000 passages and at
   ``--large``; recall at 4 of the exact answer. ``<-`` marks what ``faiss_index`` chooses.
2. A whole search at 10,000 passages, the question's embedding included.
3. Indexing 1,000 documents beside sentence-transformers' own ``encode`` of the same passages, and
   indexing again after one document changed.

Passages are made by drawing words around the demo brands' documents: every one is another.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import faiss
import numpy as np

from brandbot import Workspace, models
from brandbot.knowledge import index
from brandbot.knowledge.embedder import open_embedder
from brandbot.knowledge.index import IndexStore
from brandbot.knowledge.search import PROBES, Search

ROOT = Path(__file__).parents[1]
QUESTIONS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=100_000)
    asked = parser.parse_args()
    folder = Workspace.find(ROOT).models
    made = texts(asked.large + QUESTIONS)
    embedder = open_embedder("use-multilingual", "en", folder)
    started = time.monotonic()
    vectors = embedder.embed(made)
    print(f"{len(made)} passages embedded by {embedder.name} in {time.monotonic() - started:.0f} s")
    questions, vectors = vectors[-QUESTIONS:], vectors[:-QUESTIONS]
    for count in (10_000, asked.large):
        kinds(vectors[:count], questions)
    whole(made[:10_000], folder)
    documents(made[:1000], folder)


def texts(count: int) -> list[str]:
    """So many different short facts, from the words of the demo brands' documents."""
    chance = random.Random(0)
    sentences = []
    for file in sorted((ROOT / "personas").glob("*/knowledge/*.md")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if len(line.split()) > 5 and not line.startswith("|"):
                sentences.append(line.split())
    words = sorted({word for sentence in sentences for word in sentence if len(word) > 3})
    found = []
    for number in range(count):
        sentence = list(chance.choice(sentences))
        for _ in range(3):
            sentence[chance.randrange(len(sentence))] = chance.choice(words)
        found.append(f"{' '.join(sentence)} ({number})")
    return found


def median_ms(call: Callable[[int], Any]) -> float:
    call(0)
    taken = []
    for number in range(QUESTIONS):
        started = time.perf_counter()
        call(number)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def kinds(vectors: Any, questions: Any) -> None:
    count, width = vectors.shape
    exact = faiss.IndexFlatIP(width)
    exact.add(vectors)
    truth = exact.search(questions, 4)[1]
    chosen = index.faiss_index(vectors)
    if hasattr(chosen, "nprobe"):
        chosen.nprobe = max(1, int(PROBES * chosen.nlist))
    half = faiss.IndexScalarQuantizer(
        width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    graph = faiss.IndexHNSWFlat(width, 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efSearch = 128
    print(f"{count} passages, {width} dimensions")
    for name, made in (("exact", exact), ("half", half), ("graph", graph), ("<- chosen", chosen)):
        started = time.monotonic()
        if made.ntotal == 0:
            made.train(vectors)
            made.add(vectors)
        build = time.monotonic() - started
        found = made.search(questions, 4)[1]
        recall = np.mean([len(set(f) & set(t)) / 4 for f, t in zip(found, truth, strict=True)])
        one = median_ms(lambda n, made=made: made.search(questions[n : n + 1], 50))
        print(f"  {name:10} {one:7.3f} ms  recall@4 {recall:.3f}  built in {build:.1f} s")


def whole(made: list[str], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "knowledge"
        source.mkdir()
        for number in range(0, len(made), 100):
            text = "\n\n".join(f"## Part {n}\n\n{made[n]}" for n in range(number, number + 100))
            (source / f"{number}.md").write_text(text, encoding="utf-8")
        for name in ("use-multilingual", "all-minilm-l6-v2"):
            embedder = open_embedder(name, "en", folder)
            store = IndexStore(Path(scratch) / name)
            started = time.monotonic()
            built = index.build(source, store, lambda e=embedder: e, name, "en")
            taken = time.monotonic() - started
            build = store.current()
            assert build is not None
            search = Search(build, embedder)
            one = median_ms(lambda n, s=search: s.find(made[n * 7][:60], 4))
            part = median_ms(lambda n, e=embedder: e.embed([made[n * 7][:60]]))
            print(
                f"{built.passages} passages with {name}: a search {one:.1f} ms, {part:.1f} of it "
                f"the question's embedding; indexed in {taken:.0f} s"
            )


def documents(made: list[str], folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "knowledge"
        source.mkdir()
        for number, text in enumerate(made):
            (source / f"{number:04d}.md").write_text(f"# Note {number}\n\n{text}\n")
        embedder = open_embedder(models.EMBEDDER, "en", folder)
        embedder.embed(made[:32])
        ours, theirs = [], []
        plain = SentenceTransformer(str(models.embedder_folder(folder)))
        for turn in range(3):
            store = IndexStore(Path(scratch) / f"index{turn}")
            started = time.monotonic()
            index.build(source, store, lambda: embedder, models.EMBEDDER, "en")
            ours.append(time.monotonic() - started)
            build = store.current()
            assert build is not None
            embedded = [p.embedded for p in build.read_passages()]
            started = time.monotonic()
            plain.encode(embedded, show_progress_bar=False)
            theirs.append(time.monotonic() - started)
        print(
            f"1000 documents: indexed in {statistics.median(ours):.2f} s, sentence-transformers' "
            f"encode alone {statistics.median(theirs):.2f} s"
        )
        again = []
        for turn in range(5):
            (source / "0500.md").write_text(f"# Note 500\n\nChanged {turn}.\n")
            started = time.monotonic()
            built = index.build(source, store, lambda: embedder, models.EMBEDDER, "en")
            again.append(time.monotonic() - started)
            assert built.embedded == 1
        print(f"one of 1000 documents changed: {statistics.median(again):.2f} s")


if __name__ == "__main__":
    main()
