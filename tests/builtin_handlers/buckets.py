"""A server that speaks S3, in a process of its own, and the bucket of one test in it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from jobcore_handlers.files.s3 import S3FileStore

KEYS = {"access_key": "tester", "secret_key": SecretStr("not-a-secret")}


class Bucket:
    """A bucket that is new, and a client of its own that looks into it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.name = f"files-{uuid4().hex}"
        self.client: Any = boto3.session.Session().client(
            "s3", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="t", aws_secret_access_key="t"
        )
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def store(self) -> S3FileStore:
        return S3FileStore(self.name, endpoint=self.endpoint, region="eu-west-1", **KEYS)

    def keys(self) -> list[str]:
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def unfinished(self) -> list[str]:
        uploads = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [upload["Key"] for upload in uploads]


def serve(pipe: Connection) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    pipe.send(server.get_host_and_port())
    pipe.recv()  # until the other end is closed, or says so
    server.stop()


@contextmanager
def s3_server() -> Generator[str]:
    """Run a server; gives its address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        assert here.poll(60)
        host, port = here.recv()
        yield f"http://{host}:{port}"
    finally:
        here.send("stop")
        process.join(30)
        process.kill()
