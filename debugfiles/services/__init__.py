"""Every write of debug files, bundles, releases and their files: one transaction and one audit entry each.

Contents are stored before the transaction begins (see contents.py), and looked into before they are stored.
"""

from debugfiles.services.bundles import delete_artifact_bundle, store_artifact_bundle
from debugfiles.services.debug_files import delete_debug_file, store_debug_file, store_debug_files
from debugfiles.services.release_files import delete_release_file, store_release_file
from debugfiles.services.releases import check_dist, check_version, create_release, ensure_release, finalize_release

__all__ = [
    "check_dist",
    "check_version",
    "create_release",
    "delete_artifact_bundle",
    "delete_debug_file",
    "delete_release_file",
    "ensure_release",
    "finalize_release",
    "store_artifact_bundle",
    "store_debug_file",
    "store_debug_files",
    "store_release_file",
]
