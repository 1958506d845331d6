"""Types of the module `hear_fusion.vggish`, which is made on import."""

from typing import Any

from hear_fusion.hear import get_scene_embeddings as get_scene_embeddings
from hear_fusion.hear import get_timestamp_embeddings as get_timestamp_embeddings
from hear_fusion.model import FusionModel

def load_model(model_file_path: str = "", **options: Any) -> FusionModel: ...
