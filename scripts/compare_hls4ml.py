"""The hls4ml estimates beside LightGBM and rule4ml 0.2.0, on the same rows: tables of docs/estimator-hls4ml.md.

    PYTHONPATH=. python scripts/compare_hls4ml.py TRUTH_DIR [lightgbm] [rule4ml]

LightGBM and rule4ml (with tensorflow, torch) are not among this project's dependencies: install them into an
environment of their own.  Every model but rule4ml, which comes trained, is fitted without the group it is scored on.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.calibrate.hls4ml import predict_samples, read_samples
from bitsmith.flows.calibrate.hls4ml_fit import fit_coefficients, truths
from bitsmith.flows.truth import read_lines
from bitsmith.hls.estimate.hls4ml.feasible import verdicts
from bitsmith.hls.estimate.hls4ml.layers import columns
from bitsmith.hls.estimate.hls4ml.model import TARGETS
from bitsmith.hls.estimate.hls4ml.rows import design_of
from bitsmith.hls.estimate.metrics import score

FOLDS = 10
FEATURES = ("n_in", "n_out", "w_bits", "rf", "n_zero", "n_pow2", "csd_digits", "n_unique_abs", "absmax")
HEAD = (
    "| target | "
    + " | ".join(["n", *(f"{m}: R2, SMAPE %, median %" for m in ("ours", "{other}"))])
    + " |\n|---|---|---|---|"
)


def line(target: str, truth: np.ndarray, *values: np.ndarray) -> str:
    found = [score(truth, v, v, v) for v in values]
    cells = [f"{s.r2:.3f}, {s.smape:.2f}, {s.median_ape:.2f}" for s in found]
    return f"| {target} | {truth.size} | " + " | ".join(cells) + " |"


def lightgbm(folder: Path) -> None:
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.model_selection import GroupKFold

    rows = [x.row for x in read_lines(folder / "wa_dense1_csynth.jsonl.gz")]
    shape = [f"{r['layers'][0]['n_in']}x{r['layers'][0]['n_out']}" for r in rows]
    x = np.array([[*(r["layers"][0][f] for f in FEATURES), r["strategy"] == "latency"] for r in rows], dtype=float)
    done = np.array([r["success"] for r in rows])
    samples, _ = read_samples(folder)
    dense = [s for s in samples if s.source == "dense"]
    groups = np.array([s.group for s in dense])
    ours = {t: np.zeros(len(dense)) for t in TARGETS}
    theirs = {t: np.zeros(len(dense)) for t in TARGETS}
    features = x[done]
    for train, test in GroupKFold(FOLDS).split(features, groups=groups):
        found, _ = predict_samples([dense[i] for i in test], fit_coefficients([dense[i] for i in train]))
        for t in TARGETS:
            ours[t][test] = found[t]
            y = np.log1p(truths(dense, t))
            model = LGBMRegressor(n_estimators=400, learning_rate=0.05, min_child_samples=5, random_state=0, verbose=-1)
            guess = np.expm1(model.fit(features[train], y[train]).predict(features[test]))
            theirs[t][test] = np.round(np.maximum(0.0, guess))  # else zeros that are nearly met count as wholly missed
    print(f"One dense layer, csynth, unseen shapes ({FOLDS} folds of whole shapes)\n\n{HEAD.format(other='LightGBM')}")
    for t in TARGETS:
        print(line(t, truths(dense, t), ours[t], theirs[t]))
    for name, of in (("ours", ours), ("LightGBM", theirs)):
        exact = {t: 100 * np.mean(np.round(of[t]) == truths(dense, t)) for t in ("latency", "ii")}
        print(f"\n{name}: latency exact on {exact['latency']:.1f} %, II on {exact['ii']:.1f} %")
    right = np.zeros(len(rows), dtype=bool)
    for train, test in GroupKFold(FOLDS).split(x, groups=shape):
        model = LGBMClassifier(n_estimators=200, random_state=0, n_jobs=1, verbose=-1).fit(x[train], done[train])
        right[test] = model.predict(x[test]) == done[test]
    limits = (verdicts(columns([design_of(r) for r in rows])) == 0) == done
    print(f"\nfeasibility of {len(rows)}: ours {100 * limits.mean():.2f} %, LightGBM {100 * right.mean():.2f} %")


def keras_model(row: dict[str, Any]) -> Any:
    """The row's network in Keras; ValueError for a layer that this cannot say."""
    import keras

    first = row["layers"][0]
    size = [first[k] for k in ("in_h", "in_w") if k in first]
    shape = (*size, first["n_chan"]) if size else (next(x["n_in"] for x in row["layers"] if "n_in" in x),)
    x = inputs = keras.Input(shape=shape)
    for layer in row["layers"]:
        for made in keras_layers(layer, flat=len(x.shape) == 2):
            if not hasattr(made, "activation"):
                made.build(x.shape)  # rule4ml looks for what this leaves behind
            x = made(x)
    model = keras.Model(inputs, x, name="net")
    model.build((None, *shape))
    return model


def keras_layers(layer: dict[str, Any], flat: bool) -> list[Any]:
    """What says one layer of a project; nothing for padding, which the convolution behind it does."""
    from keras import layers as kl

    kind = layer["type"]
    if "zeropad" in kind or kind == "linear" or "quantize" in kind:
        return []
    makers = {
        r"dense": lambda: [*([] if flat else [kl.Flatten()]), kl.Dense(layer["n_out"])],
        r"conv_2d": lambda: [
            kl.Conv2D(layer["n_filt"], (layer["kh"], layer["kw"]), (layer["sh"], layer["sw"]), "same")
        ],
        r"conv_1d": lambda: [kl.Conv1D(layer["n_filt"], layer["kw"], layer["sw"], "same")],
        r"relu": lambda: [kl.Activation("relu")],
        r"softmax": lambda: [kl.Activation("softmax")],
        r"hard_tanh": lambda: [kl.Activation("tanh")],
        r"normalize": lambda: [kl.BatchNormalization()],
        r"pooling2d_cl": lambda: [kl.MaxPooling2D((layer["pool_h"], layer["pool_w"]))],
        r"global_pooling1d": lambda: [kl.GlobalAveragePooling1D()],
    }
    for pattern, make in makers.items():
        if re.match(pattern, kind):
            return make()
    raise ValueError(f"no layer {kind}")


def rule4ml(folder: Path) -> None:
    from rule4ml.models.wrappers import MultiModelWrapper

    estimator = MultiModelWrapper()
    estimator.load_default_models()
    samples, _ = read_samples(folder)
    designs = [s for s in samples if s.source == "design" and s.stage == "csynth"]
    raw = {r.row["id"]: r.row for r in read_lines(folder / "github_designs.jsonl.gz")}
    ours = {t: np.full(len(designs), np.nan) for t in TARGETS}
    for group in sorted({s.group for s in designs}):
        rows = [i for i, s in enumerate(designs) if s.group == group]
        fitted = fit_coefficients([s for s in samples if s.group != group])
        found, _ = predict_samples([designs[i] for i in rows], fitted)
        for t in TARGETS:
            ours[t][rows] = found[t]
    theirs = {t: np.full(len(designs), np.nan) for t in TARGETS}
    refused: Counter[str] = Counter()
    for i, sample in enumerate(designs):
        try:
            answer = ask(estimator, raw[sample.design.name])
        except Exception as error:  # whatever it stumbles over is counted
            refused[f"{type(error).__name__}: {str(error)[:90]}"] += 1
            continue
        for t, name in zip(TARGETS, ("LUT", "FF", "DSP", "BRAM", "CYCLES", "INTERVAL"), strict=True):
            theirs[t][i] = max(0.0, float(answer[name]))
    taken = np.isfinite(theirs["lut"])
    print("not taken by rule4ml:", *(f"{n} x {why}" for why, n in refused.most_common()), sep="\n  ")
    print(f"\nWhole designs, csynth, unseen owners: the {taken.sum()} of {len(designs)} rows that rule4ml takes\n")
    print(HEAD.format(other="rule4ml 0.2.0"))
    for t in TARGETS:
        known = taken & np.isfinite(truths(designs, t)) & np.isfinite(theirs[t])
        print(line(t, truths(designs, t)[known], ours[t][known], theirs[t][known]))


def ask(estimator: Any, row: dict[str, Any]) -> Any:
    """rule4ml's figures: its board for the part (or the nearest), the first matrix's precision, the largest reuse."""
    matrices = [x for x in row["layers"] if "w_bits" in x]
    part = row["part"].lower().replace("-", "")
    board = "pynq-z2" if part.startswith("xc7") else "zcu102" if "zu9" in part else "alveo-u250"
    strategy = str(matrices[0].get("strategy") or row["strategy"] or "latency").removeprefix("nnet::").lower()
    config = {
        "board": board,
        "model": {
            "strategy": strategy if strategy in ("latency", "resource") else "latency",
            "precision": f"ap_fixed<{matrices[0]['w_bits']}, {matrices[0]['w_int']}>",
            "reuse_factor": max(x.get("rf") or 1 for x in matrices),
        },
    }
    year = re.search(r"20(19|20|21|22|23|24)\.[12]", str(row["tool"]))  # what it knows; else the nearest
    tool = year.group() if year else "2024.2" if "2025" in str(row["tool"]) else "2019.1"
    version = "1.1.0" if str(row["hls4ml_version"] or "0").startswith("1") else "0.8.1"
    found = estimator.predict(keras_model(row), hls_configs=[config], hls4ml_versions=[version], vivado_versions=[tool])
    return found[["LUT", "FF", "DSP", "BRAM", "CYCLES", "INTERVAL"]].mean()


if __name__ == "__main__":
    which = sys.argv[2:] or ["lightgbm", "rule4ml"]
    for name in which:
        {"lightgbm": lightgbm, "rule4ml": rule4ml}[name](Path(sys.argv[1]))
