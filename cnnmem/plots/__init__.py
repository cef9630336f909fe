"""What the kit counts, as charts: a table, a budget or a reconciliation goes in, a chart comes out.

Nothing here needs ipywidgets, so figures and slides can be drawn without it.
"""

from .layer_bars import bars_of
from .layer_sketch import LayerSketch
from .over_time import timeline_of
from .waterfalls import waterfall_of

__all__ = ["LayerSketch", "bars_of", "timeline_of", "waterfall_of"]
