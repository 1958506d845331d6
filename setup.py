"""Packaging of hear_fusion: metadata, dependencies, the console script."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(  # type: ignore[union-attr]
    r'__version__ = "(.+)"', (HERE / "hear_fusion" / "__init__.py").read_text(encoding="utf-8")
).group(1)

REQUIRED = [
    "torch>=2.9",
    "numpy>=1.26",
    "soundfile",
    "soxr",
    "filelock>=3.31",
    "msgspec",
    "tqdm",
    "click",
]
# What is needed to read one kind of weight file only.
LOADERS = ["h5py", "onnx", "safetensors"]
# Linear heads, figures and pages: 'embed', 'study', 'report' and 'compare'.
STUDY = ["scikit-learn", "pandas", "matplotlib", "jinja2", "pyyaml", "python-slugify"]
# Tables of features of one's own recordings as Parquet, pictures and maps of them: 'features',
# 'search', 'show', 'map' and what goes on.
PEOPLE = ["pyarrow>=26", "scikit-learn", "matplotlib", "jinja2"]
# Approximate search in tables of millions of rows: 'search --approximate'.
SEARCH = ["usearch"]
# The sounds of the demonstration tasks. They carry GPL parts (a SoundFont, libespeak-ng), used in
# processes of their own. The player of the SoundFont needs --no-deps: requirements-no-deps.txt.
DEMO = ["pretty_midi", "espeakng-loader"]
# What the official HEAR tools need on today's Python: 'evaluate'. The tools need --no-deps.
HEAR = [
    line
    for line in (HERE / "requirements-hear.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

setup(
    name="hear_fusion",
    version=VERSION,
    description="General-purpose audio embeddings from the layers of networks that already exist",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["hear_fusion", "hear_fusion.*"]),
    package_data={"hear_fusion": ["py.typed", "*.pyi", "report/*.j2", "report/sounds/map*.*"]},
    python_requires=">=3.11",
    install_requires=REQUIRED,
    extras_require={
        "loaders": LOADERS,
        "study": STUDY,
        "people": PEOPLE,
        "search": SEARCH,
        "demo": DEMO,
        "hear": HEAR,
    },
    entry_points={"console_scripts": ["hear-fusion = hear_fusion.cli:main"]},
    classifiers=[
        "Intended Audience :: Science/Research",
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Typing :: Typed",
    ],
)
