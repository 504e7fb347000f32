"""ECR: the images that were registered with the sandbox stand in the repository that they were pushed to.

Corrects moto 5.2.5, which computes an image's digest from what was put, so that none could have a digest that is known
beforehand (a sandbox's image is a tree of files, its digest the hash of that tree).
"""

from __future__ import annotations

import json
from typing import Any

from moto.ecr.models import ECRBackend, Image
from moto.ecr.responses import ECRResponse

from sandbox.cloud.ecs_tasks import Images
from sandbox.cloud.world import ACCOUNT_ID, REGION

_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"


class EcrApi(ECRResponse):
    """The API handler; one instance per call."""

    def __init__(self, images: Images) -> None:
        super().__init__()
        self._images = images

    def call_action(self) -> Any:
        # Images are registered before there is a repository: they arrive with the first call that could see them.
        if self.region == REGION:
            _push(self.ecr_backend, self._images)
        return super().call_action()


def _push(backend: ECRBackend, images: Images) -> None:
    for digest, pushed in images.pushed.items():
        repository = backend.repositories.get(pushed.repository)
        if repository is None or any(one.image_digest == digest for one in repository.images):
            continue
        manifest = {"schemaVersion": 2, "mediaType": _MEDIA_TYPE, "layers": [], "annotations": {"digest": digest}}
        image = Image(ACCOUNT_ID, pushed.tag, json.dumps(manifest), pushed.repository, _MEDIA_TYPE, digest)
        repository.images.append(image)
