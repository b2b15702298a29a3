"""Buckets of Amazon S3 and of servers that speak its protocol.

`region` is the name of one of Amazon's regions, or a name and the endpoint of another server (`["minio",
"https://minio.example"]`), whose buckets are addressed by path. Requests are signed with `access_key` and
`secret_key`; without them they are not signed, which public buckets allow. The operator's sources may use the
credentials of the container they run in instead (`"aws_credentials_provider": "container"`).

S3 tells a missing file from a refused one only to those who may list the bucket (`s3:ListBucket`). Without that
permission every missing file is answered `403`, and the details of such a candidate say so.
"""

from engine.sourcetypes.s3.source import S3Source

__all__ = ["S3Source"]
