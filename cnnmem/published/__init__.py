"""Numbers that others printed, with their sources, and whether a convention explains them.

>>> from cnnmem import published
>>> published.get("torchsummary-vgg16").verdict, published.get("cs231n-93").verdict
('explained', 'unexplained')
"""

from .blog_script import script_layers, script_macs
from .numbers import Published, catalogue, get
from .overflows import EXHIBITS, Exhibit, exhibit

__all__ = [
    "EXHIBITS",
    "Exhibit",
    "Published",
    "catalogue",
    "exhibit",
    "get",
    "script_layers",
    "script_macs",
]
